"""Making profiles and what they did, as the parts that take them in would."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cdp.profiles import accounts
from cdp.profiles.models import UNITS, Account, Interaction, Profile, ProfileIdentifier

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AMOUNTS = ("price", "subtotal")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


class Population:
    """An account and its people, under the names that a test gives them."""

    def __init__(self, number: int = 123456, *, zone: str = "UTC") -> None:
        self.account: Account = accounts.create(number, name=f"Account {number}", time_zone=zone)
        self.zone = ZoneInfo(zone)
        self.people: dict[str, Profile] = {}
        self.identities: dict[str, ProfileIdentifier] = {}

    def person(self, name: str, attributes: Mapping[str, Any] | None = None) -> Profile:
        profile = Profile.objects.create(account=self.account, attributes=dict(attributes or {}))
        self.people[name] = profile
        self.identities[name] = ProfileIdentifier.objects.create(
            account=self.account, profile=profile, kind="userid", digest=f"{self.account.number}-{name}"
        )
        return profile

    def row(self, name: str, event: str, moment: datetime, **values: Any) -> Interaction:
        """``path``: ids of categories from the top. Amounts are given as texts or Decimals."""
        path = values.pop("path", ())
        for key in AMOUNTS:
            if values.get(key) is not None:
                values[key] = int(Decimal(values[key]) * UNITS)
        return Interaction(
            account=self.account,
            profile=self.people[name],
            identity=self.identities[name],
            event=event,
            ts=micros(moment),
            day=(moment.astimezone(self.zone).date() - EPOCH.date()).days,
            source="test",
            category_path=f"/{'/'.join(path)}/" if path else "",
            category=path[-1] if path else "",
            **values,
        )

    def did(self, name: str, event: str, when: str, **values: Any) -> Interaction:
        row = self.row(name, event, at(when), **values)
        row.save()
        return row

    def names(self, keys: Any) -> str:
        """The people behind keys, in the order of their names."""
        known = {profile.pk: name for name, profile in self.people.items()}
        return " ".join(sorted(known[key] for key in keys))


def of_reference() -> Population:
    """The fixture of the reference, `cdp.md` 8.3."""
    found = Population()
    found.person("P1", {"country": "DK", "born": "1990-05-04"})
    food = {"product_id": "A", "path": ("c1", "c11")}
    dogs = {"product_id": "B", "path": ("d1",)}
    found.did("P1", "buy", "2025-04-20T09:00Z", order_id="O1", subtotal="40.00", **food)
    found.did("P1", "buy", "2025-04-20T09:00Z", order_id="O1", subtotal="60.10", **dogs)
    for when in ("04-29T10:00", "04-30T10:00", "05-01T11:30"):
        found.did("P1", "visit", f"2025-{when}Z", **food)
    for when in ("04-28T10:00", "04-28T11:00", "04-30T23:00"):
        found.did("P1", "visit", f"2025-{when}Z", **dogs)
    found.person("P2")
    found.did("P2", "visit", "2025-04-01T12:00:00Z", **food)
    found.person("P3")
    found.did("P3", "visit", "2025-04-01T11:59:59Z", **dogs)
    found.did("P3", "basket", "2025-05-01T12:00:01Z")
    found.person("P4", {"country": "DE"})
    found.person("P5", {"country": "dk", "born": "1992-02-29"})
    found.did("P5", "buy", "2025-01-31T09:00Z", order_id="O9", subtotal="100.10")
    found.did("P5", "buy", "2025-02-28T09:00Z", order_id="O10", subtotal="0.05")
    return found
