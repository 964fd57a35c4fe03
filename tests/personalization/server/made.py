"""Histories made by hand, and scenarios of one model, for the tests of kinds, divisions and filters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from personalization.server import (
    artefacts,
    catalogues,
    editorial,
    freshness,
    people,
    plans,
    rates,
    recommend,
    rhythm,
    training,
)
from personalization.server.items import mapping, store, transfers
from personalization.server.models import Model, ModelBuild, Scenario
from personalization.server.recommend import Answer, Request
from personalization.server.scenarios.filters import Filters
from personalization.server.scenarios.strategy import Strategy
from tests.personalization.server.conftest import content
from tracking import replay
from tracking.replay import HistoricEvent

KIND = 38


def forget() -> None:
    """Read everything afresh, whatever an earlier test left."""
    catalogues.catalogues.forget()
    plans.forget()
    freshness.forget()
    editorial.forget()
    rates.forget()
    rhythm.forget()
    transfers.forget()
    artefacts.shelf.forget()


@dataclass(frozen=True, kw_only=True)
class Did:
    """Something that somebody did with an item, so many days ago."""

    event: str
    user: str
    item: int | str
    days: float = 1.0
    more: dict[str, Any] = field(default_factory=dict)


def did(event: str, user: str, *items: int | str, days: float = 1.0, **more: Any) -> list[Did]:
    """Several items at once, one minute after the other, the first of them ``days`` ago."""
    minute = 1 / 1440
    return [
        Did(event=event, user=user, item=item, days=days - place * minute, more=more)
        for place, item in enumerate(items)
    ]


def happened(customer_id: str, past: Iterable[Did]) -> None:
    now = datetime.now(UTC)
    rows = [
        HistoricEvent(
            event=one.event,
            user=one.user,
            item_type=KIND,
            item_id=str(one.item),
            ts=now - timedelta(days=one.days),
            **one.more,
        )
        for one in past
    ]
    replay.store(customer_id, rows)


def stored(customer_id: str, items: dict[int | str, dict[str, Any]], *, alphanumeric: bool = False) -> None:
    """Items with their fields; ``nominal`` holds attributes of type NOMINAL, ``numeric`` of type NUMERIC."""
    rows = []
    for item, fields in items.items():
        own = dict(fields)
        typed = [(key, "NOMINAL", value) for key, value in own.pop("nominal", {}).items()]
        typed += [(key, "NUMERIC", value) for key, value in own.pop("numeric", {}).items()]
        row = mapping.columns_of(content(item, **own), item_type=KIND, alphanumeric=alphanumeric)
        for key, kind, value in typed:
            for one in value if isinstance(value, list) else [value]:
                row.attributes.append([key, kind, str(one)])
        rows.append(row)
    store.upsert(customer_id, rows, language="eng-GB", moment=store.moment_now())
    forget()


def told(customer_id: str, users: dict[str, dict[str, str]]) -> None:
    """Attributes of users."""
    attributes = {
        user: [(key, "NOMINAL", value) for key, value in known.items()] for user, known in users.items()
    }
    people.replace(customer_id, source="shop", users=attributes)


def model(
    customer_id: str,
    kind: str,
    *,
    signal: str = "",
    identifier: str = "made",
    parameters: dict[str, Any] | None = None,
    divisions: dict[str, Any] | None = None,
    build: bool = True,
) -> ModelBuild | None:
    """Make a model, and build it."""
    row, _ = Model.objects.update_or_create(
        customer_id=customer_id,
        identifier=identifier,
        defaults={
            "name": kind,
            "kind": kind,
            "signal": signal,
            "parameters": parameters or {},
            "divisions": divisions or {},
        },
    )
    found = training.build(row) if build else None
    forget()
    return found


def scenario(
    customer_id: str,
    *levels: dict[str, Any] | str,
    identifier: str = "made",
    filters: dict[str, Any] | None = None,
    **columns: Any,
) -> None:
    """Make a scenario; a level that is only a name holds that model alone."""
    documents = [
        one if isinstance(one, dict) else {"models": [{"model": one, "context": "automatic"}]}
        for one in levels
    ]
    Scenario.objects.update_or_create(
        customer_id=customer_id,
        identifier=identifier,
        defaults={
            "name": identifier,
            "strategy": Strategy.model_validate({"levels": documents}).model_dump(mode="json"),
            "filters": Filters.model_validate(filters or {}).model_dump(mode="json"),
            **columns,
        },
    )
    forget()


def answer(customer_id: str, *, identifier: str = "made", explain: bool = False, **asked: Any) -> Answer:
    """What the engine answers to a request for a scenario."""
    plan = plans.plan_of(customer_id, identifier)
    request = Request(customer_id=customer_id, scenario=identifier, **{"user": "nobody", "count": 10} | asked)
    return recommend.recommend(request, plan, explain=explain)


def listed(customer_id: str, **asked: Any) -> list[str]:
    """The ids of an answer."""
    return [one.key[1] for one in answer(customer_id, **asked).items]
