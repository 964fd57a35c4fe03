"""What people did: rows that are only ever added (reference `cdp.md` 2.2, 6.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cdp.profiles import accounts, rows
from cdp.profiles.models import UNITS, Account, Interaction, ProfileIdentifier

EPOCH = date(1970, 1, 1).toordinal()
MICROSECONDS = 1_000_000
MOST = Decimal(2**63 - 1) / UNITS  # an amount that a row can hold


class BadInteraction(ValueError):
    """A value that no row can hold; the message names the field, the rule and the value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Did:
    """Something a person did. ``ts``: microseconds in UTC; ``category_path``: ids from the top to the leaf;
    ``event_id``: unique within the source, told twice it counts once."""

    identity: ProfileIdentifier
    event: str
    ts: int
    event_id: str | None = None
    session: str = ""
    item_type: str = ""
    product_id: str = ""
    product_name: str = ""
    category_path: tuple[str, ...] = ()
    brand: str = ""
    order_id: str = ""
    quantity: int | None = None
    price: Decimal | None = None
    subtotal: Decimal | None = None
    currency: str = ""
    percentage: int | None = None
    rating: int | None = None
    props: dict[str, Any] = field(default_factory=dict)


NUMBERS = {
    **dict.fromkeys(("quantity", "percentage", "rating"), 2**31),
    **dict.fromkeys(("price", "subtotal", "ts"), 2**63),
}
COLUMNS = {
    "identity": "int",
    "event": "text",
    "ts": "int",
    "day": "int",
    "event_id": "text",
    "session": "text",
    "item_type": "text",
    "product_id": "text",
    "product_name": "text",
    "category_path": "text",
    "category": "text",
    "brand": "text",
    "order_id": "text",
    "quantity": "int",
    "price": "int",
    "subtotal": "int",
    "currency": "text",
    "percentage": "int",
    "rating": "int",
    "props": "json",
}
OWN = [name for name in COLUMNS if name != "identity"]
INSERT = f"""
    INSERT INTO profiles_interaction (account_id, source, profile_id, identity_id, {", ".join(OWN)})
    SELECT i.account_id, %s, i.profile_id, i.id, {", ".join(f"given.{name}" for name in OWN)} FROM given
    JOIN profiles_profileidentifier i ON i.id = given.identity AND i.account_id = %s
    WHERE true ON CONFLICT DO NOTHING
"""  # noqa: S608 - names of columns
SEEN = """
    UPDATE profiles_profile SET last_seen = seen.at FROM (
        SELECT i.profile_id, max(given.at) AS at FROM given
        JOIN profiles_profileidentifier i ON i.id = given.identity AND i.account_id = %s
        GROUP BY i.profile_id
    ) AS seen
    WHERE profiles_profile.id = seen.profile_id
    AND (profiles_profile.last_seen IS NULL OR profiles_profile.last_seen < seen.at)
"""
# Names may be cut, ids may not: two would become one.
CUT = frozenset({"product_name", "brand"})
LONGEST = {one.name: one.max_length for one in Interaction._meta.concrete_fields if one.name in COLUMNS}


def record(account: Account, source_name: str, did: Sequence[Did]) -> int:
    """Store what people did; return how many rows were new. Profiles remember when they were last seen.

    People who were erased meanwhile are left out. Raises :class:`BadInteraction`.
    """
    zone = ZoneInfo(account.time_zone)
    listed = rows.listed(row_of(one, zone) for one in did)
    seen: dict[int, int] = {}
    for one in did:
        seen[one.identity.pk] = max(one.ts, seen.get(one.identity.pk, one.ts))
    with accounts.locked(account):
        new = rows.write(rows.given(**COLUMNS) + INSERT, listed, source_name, account.pk)
        if new:
            see(account, seen)
    return new


def see(account: Account, seen: dict[int, int]) -> None:
    listed = rows.listed((pk, rows.moment(moment_of(ts))) for pk, ts in seen.items())
    rows.write(rows.given(identity="int", at="time") + SEEN, listed, account.pk)


def row_of(did: Did, zone: ZoneInfo) -> tuple[Any, ...]:
    found = {
        "day": day_of(did.ts, zone),
        "category_path": f"/{'/'.join(did.category_path)}/" if did.category_path else "",
        "category": did.category_path[-1] if did.category_path else "",
        "identity": did.identity.pk,
        "price": units(did.price),
        "subtotal": units(did.subtotal),
    }
    return tuple(fitting(name, found[name] if name in found else getattr(did, name)) for name in COLUMNS)


def checked(did: Did) -> Did:
    """The same, if a row can hold it. Raises :class:`BadInteraction`."""
    row_of(did, ZoneInfo("UTC"))
    return did


def fitting(name: str, value: Any) -> Any:
    if name in NUMBERS and value is not None and not -NUMBERS[name] <= value < NUMBERS[name]:
        raise BadInteraction(f"{name} must be a number of {NUMBERS[name].bit_length()} bits; got more.")
    if isinstance(value, str) and "\0" in value:
        raise BadInteraction(f"{name} must have no NUL character.")
    longest = LONGEST.get(name)
    if longest is None or value is None or len(value) <= longest:
        return value
    if name in CUT:
        return value[:longest]
    raise BadInteraction(f"{name} must have at most {longest} characters; got {len(value)}.")


def units(amount: Decimal | None) -> int | None:
    """An amount in ten-thousandths. Raises :class:`BadInteraction`."""
    if amount is None:
        return None
    if not amount.is_finite() or abs(amount) > MOST:
        raise BadInteraction(f"an amount must be between -{MOST} and {MOST}; got {amount}.")
    return int((amount * UNITS).to_integral_value(ROUND_HALF_UP))


def day_of(ts: int, zone: ZoneInfo) -> int:
    """Days from 1970 to the day it was there and then."""
    return moment_of(ts).astimezone(zone).toordinal() - EPOCH


def moment_of(ts: int) -> datetime:
    seconds, rest = divmod(ts, MICROSECONDS)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
