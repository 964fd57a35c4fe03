"""One model learnt: from the lake and the item store to arrays, with all of its divisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from personalization.server import facts
from personalization.server.artefacts import Divided
from personalization.server.divisions import (
    MAX_VALUES,
    Divisions,
    Nominal,
    SegmentGroup,
    Slot,
    ValueGroup,
    segment_part,
    slot_part,
)
from personalization.server.in_force import parameters_of
from personalization.server.items import transfers
from personalization.server.learning import events, registry, spark
from personalization.server.learning.base import Int32, Kind, Learned
from personalization.server.learning.events import Facts, History
from personalization.server.models import NO_EVENTS, Model
from personalization.server.people import NOMINAL
from tracking import lake, queries

# Attributes that nobody asked for so long are no longer divided by (engine-protocol.md 5.9).
UNUSED = timedelta(days=5)
# Items that are learnt again between builds of everything, and which share of all at most.
FEW_ITEMS, MOST_RELEARNT = 100, 0.2
MINUTE = 60 * events.SECOND
DAY = 24 * 60


class NoEvents(Exception):
    """There is nothing to learn from yet."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """``until``: time of the newest event that was learnt from, in microseconds since 1970."""

    learned: Learned
    divided: Divided
    until: int = 0


def silent(_step: str) -> None:
    """Nobody watches the build."""


def learn(model: Model, *, say: Callable[[str], None] = silent) -> Outcome:
    """Archive what was tracked and run the model's kind over it, and over the parts it is divided into.

    ``say`` is told what is done next. Raises :class:`NoEvents`, and :class:`~config.faults.Fault` when the
    disk is full.
    """
    kind = registry.kind(model.kind)
    parameters = parameters_of(model)
    divisions = Divisions.model_validate(model.divisions or {})
    say("Archiving and reading events")
    with opened(model, kind, parameters, divisions) as history:
        say(f"Learning from {history.events:,} events")
        groups = submodels(model, divisions, history.items, history.keys) if kind.divides else {}
        history = replace(history, groups=groups)
        learned = kind.learn(history, parameters=parameters)
        say("Learning the parts")
        parts = learn_parts(history, kind, parameters, divisions) if kind.divides else {}
        return Outcome(learned=learned, divided=Divided(parts=parts, groups=groups), until=history.until)


def relearn(model: Model, *, known: Learned, since: int) -> Outcome | None:
    """``known`` with what happened after ``since`` (µs); None where learning everything is the better way.

    Raises as :func:`learn` does.
    """
    kind = registry.kind(model.kind)
    parameters = parameters_of(model)
    with opened(model, kind, parameters, Divisions()) as history:
        if history.until <= since:
            return None
        most = max(FEW_ITEMS, int(len(history.keys) * MOST_RELEARNT))
        learned = kind.relearn(history, parameters=parameters, known=known, since=since, most=most)
        if learned is None:
            return None
        return Outcome(learned=learned, divided=Divided(), until=history.until)


@contextmanager
def opened(
    model: Model, kind: Kind, parameters: Mapping[str, Any], divisions: Divisions
) -> Iterator[History]:
    """Everything that the model reads."""
    with history_of(
        model.customer_id,
        codes=kind.codes(model.signal, parameters),
        window_days=parameters.get("window_days", 1.0),
        with_segments=bool(divisions.segments),
        needs_events=kind.needs_events,
    ) as history:
        divided = kind.divides and bool(divisions.attributes() or divisions.dynamic)
        found = list(facts.items(model.customer_id)) if kind.reads_items or divided else []
        people = facts.people(model.customer_id) if kind.reads_people else {}
        yield replace(history, items=found, people=people)


def engine(files: Sequence[Path], **asked: Any) -> AbstractContextManager[History]:
    """Events in DuckDB, or in Spark where a master is set."""
    if not settings.SPARK_MASTER:
        return events.opened(files, **asked)
    return spark.opened(files, master=settings.SPARK_MASTER, **asked)


@contextmanager
def history_of(
    customer_id: str,
    *,
    codes: Sequence[str],
    window_days: float,
    with_segments: bool = False,
    with_paths: bool = False,
    needs_events: bool = True,
) -> Iterator[History]:
    """Archive what was tracked and open the events of some codes, each with the user who they belong to.

    Raises :class:`NoEvents`, and :class:`~config.faults.Fault` when the disk is full.
    """
    files = []
    if codes:
        lake.archive()
        files = lake.files(customer_id)
    owned = [(o.source, o.after, o.until, o.owner) for o in queries.ownership(customer_id)] if codes else []
    with engine(
        files,
        codes=codes,
        window_days=window_days,
        owned=owned,
        moved=transfers.moves(customer_id),
        with_segments=with_segments,
        with_paths=with_paths,
    ) as history:
        if needs_events and not history.events:
            raise NoEvents(f"{NO_EVENTS}{' or '.join(codes)} events of customer {customer_id} yet.")
        yield history


def submodels(
    model: Model, divisions: Divisions, items: Sequence[Facts], keys: list[tuple[int, str]]
) -> dict[str, Int32]:
    """By submodel the row numbers of its items, ascending; one without items is there and empty."""
    rows = {key: row for row, key in enumerate(keys)}
    nominal = [*divisions.nominal, *dynamic(model, divisions, items)]
    found: dict[str, list[int]] = {one.name_of(group.name): [] for one in nominal for group in one.groups}
    found |= {one.name_of(interval): [] for one in divisions.numeric for interval in one.intervals}
    for item in items:
        row = rows.get(item.key)
        if row is not None:
            for name in memberships(item, nominal, divisions):
                found[name].append(row)
    return {name: np.array(sorted(members), np.int32) for name, members in found.items()}


def memberships(item: Facts, nominal: Sequence[Nominal], divisions: Divisions) -> set[str]:
    values: dict[str, list[str]] = {}
    for key, _kind, value in item.attributes:
        values.setdefault(key, []).append(value)
    names = {name for one in nominal for name in one.names_of(values.get(one.attribute, ()))}
    for numeric in divisions.numeric:
        numbers = map(number_of, values.get(numeric.attribute, ()))
        names |= {name for number in numbers if number is not None for name in numeric.holding(number)}
    return names


def number_of(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def dynamic(model: Model, divisions: Divisions, items: Sequence[Facts]) -> list[Nominal]:
    """A submodel for each value of the attributes that are asked for and have no groups made by hand."""
    if not divisions.dynamic:
        return []
    since = datetime.now(UTC).date() - UNUSED
    model.asked_attributes.filter(last_asked__lt=since).delete()
    asked = set(model.asked_attributes.values_list("attribute", flat=True)) - divisions.attributes()
    values: dict[str, dict[str, None]] = {}
    for item in items:
        for key, kind, value in item.attributes:
            if key in asked and kind == NOMINAL and 0 < len(value) <= 64:
                values.setdefault(key, {}).setdefault(value)
    return [
        Nominal(attribute=key, groups=[ValueGroup(name=value, values=[value]) for value in found])
        for key, found in sorted(values.items())
        if len(found) <= MAX_VALUES
    ]


def learn_parts(
    history: History, kind: Kind, parameters: Mapping[str, Any], divisions: Divisions
) -> dict[str, Learned]:
    """The same kind learnt from the events of each time slot and segment group."""
    conditions = {slot_part(slot): in_slot(slot) for slot in divisions.slots}
    conditions |= {segment_part(group): in_segments(group) for group in divisions.segments}
    found = {}
    for name, condition in conditions.items():
        with history.only(condition) as part:
            if part.events:
                found[name] = kind.learn(part, parameters=parameters)
    return found


def in_slot(slot: Slot) -> str:
    """SQL for events within a slot, by the clock of today: an hour off before the last change of time."""
    offset = datetime.now(ZoneInfo(settings.TIME_ZONE)).utcoffset() or timedelta()
    shift = int(offset.total_seconds()) * events.SECOND
    minute = f"floor((ts + {shift}) / {MINUTE}) % {DAY}"
    return f"{minute} >= {slot.begins} AND {minute} < {slot.ends}"


def in_segments(group: SegmentGroup) -> str:
    """SQL for events of somebody in a group; an event's segments are "7,11,14"."""
    joiner = f" {group.operator} "
    own = [f"(',' || segments || ',') LIKE '%,{one},%'" for one in group.segments]
    parts = [f"({joiner.join(own)})"] if own else []
    return " AND ".join([*parts, *(f"({in_segments(child)})" for child in group.children)])
