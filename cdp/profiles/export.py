"""Everything that is known of one person, as a document or as a table (reference `cdp.md` 6.4)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from cdp.profiles import by_hand, identifiers, places
from cdp.profiles.models import (
    UNITS,
    Consent,
    Contribution,
    ErasureTicket,
    Interaction,
    Profile,
    ProfileIdentifier,
    Suppression,
)
from cdp.profiles.names import is_tracked
from cdp.profiles.places import Whom
from cdp.profiles.subject import in_clear
from config.spreadsheets import neutral
from tracking.people import places as tracked_places
from tracking.people.spans import Span

FORMAT = "lodestar-profile-1"
AMOUNTS = ("price", "subtotal")
LEFT_OUT = {"id", "account", "profile", "identity"}
DID = [one.name for one in Interaction._meta.concrete_fields if one.name not in LEFT_OUT]


def document(person: Whom) -> dict[str, Any]:
    """Part -> what stands there; ``{"identifiers": [], ...}`` without a profile."""
    profile = person.profile
    found: dict[str, Any] = {
        "format": FORMAT,
        "account": person.account.number,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "profile": None if profile is None else profile_of(profile),
    }
    found |= {"identifiers": [], "sources": [], "interactions": [], "consents": [], "merges": []}
    if profile is not None:
        found["identifiers"] = list(names_of(profile))
        found["sources"] = list(said_of(profile))
        found["interactions"] = list(did_by(profile))
        found["consents"] = list(
            Consent.objects.filter(profile=profile)
            .order_by("given_at", "pk")
            .values("purpose", "status", "given_at", "expires_at", "source", "text_version")
        )
        found["merges"] = [
            {name: getattr(one, name) for name in ("loser", "reason", "merged_at", "undone_at")}
            for one in reversed(by_hand.merges_into(profile))
        ]
    found["erasures"] = list(erasures_of(person))
    for place in places.places():
        found[place.name] = list(place.find(person))
    return found | tracked_of(person)


def is_empty(found: dict[str, Any]) -> bool:
    return found["profile"] is None and not any(isinstance(part, list) and part for part in found.values())


def profile_of(profile: Profile) -> dict[str, Any]:
    return {
        "uuid": profile.uuid,
        "created_at": profile.created_at,
        "last_seen": profile.last_seen,
        "attributes": profile.attributes,
    }


def names_of(profile: Profile) -> Iterator[dict[str, Any]]:
    for name in ProfileIdentifier.objects.filter(profile=profile).order_by("pk"):
        clear = in_clear(name)
        value = clear[0].text if clear else name.digest
        yield {"kind": name.kind, "value": value, "active": name.active, "first_seen": name.first_seen}


def said_of(profile: Profile) -> Iterator[dict[str, Any]]:
    rows = Contribution.objects.filter(identity__profile=profile).select_related("source", "identity")
    for row in rows.order_by("pk"):
        if row.generation != row.source.generation:
            continue
        for name, (value, at) in sorted(row.data.items()):
            written = datetime.fromtimestamp(at // 1_000_000, UTC)
            yield {"source": row.source.name, "attribute": name, "value": value, "written": written}


def erasures_of(person: Whom) -> Iterator[dict[str, Any]]:
    """Receipts of what was erased of the person before, and names that are barred without one."""
    keys = set(person.keys)
    for ticket in ErasureTicket.objects.filter(account=person.account).order_by("pk").iterator(2_000):
        if not keys.isdisjoint((kind, digest) for kind, digest in ticket.identifiers):
            yield {
                "ticket": ticket.ticket,
                "asked_at": ticket.asked_at,
                "finished_at": ticket.finished_at,
                "counts": ticket.counts,
            }
    barred = Suppression.objects.filter(account=person.account, digest__in={key[1] for key in keys})
    for row in barred.order_by("pk"):
        if (row.kind, row.digest) in keys:
            yield {"barred": row.kind, "since": row.since}


def did_by(profile: Profile) -> Iterator[dict[str, Any]]:
    for row in Interaction.objects.filter(profile=profile).order_by("ts", "pk").values(*DID).iterator(2_000):
        amounts = {name: None if row[name] is None else row[name] / UNITS for name in AMOUNTS}
        at = datetime.fromtimestamp(row["ts"] // 1_000_000, UTC)
        told = {name: value for name, value in (row | amounts).items() if value not in ("", None, {})}
        yield {"at": at} | told


def tracked_of(person: Whom) -> dict[str, list[dict[str, Any]]]:
    """What tracking itself holds under the pseudonyms, by place."""
    tracked = [(kind.removeprefix(identifiers.TRACKED), key) for kind, key in person.keys if is_tracked(kind)]
    spans = [Span(customer_id, user) for customer_id, user in tracked]
    return {
        f"tracked_{place.name}": list(place.find(spans))
        for place in tracked_places.places()
        if place.name != "profiles"
    }


def in_json(found: dict[str, Any]) -> bytes:
    return orjson.dumps(found, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def in_csv(found: dict[str, Any]) -> str:
    """One line for each value: the part, the number of the row in it, the name and the value."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("part", "row", "name", "value"))
    for part, held in found.items():
        listed = held if isinstance(held, list) else [held]
        for number, row in enumerate(listed, 1):
            pairs = row.items() if isinstance(row, dict) else [("", row)]
            table.writerows((part, number, name, cell(value)) for name, value in pairs if value is not None)
    return text.getvalue()


def cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=str).decode()
    return neutral(value) if isinstance(value, str) else value
