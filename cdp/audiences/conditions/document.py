"""A condition document once it was read: frozen values that can be compared and kept in sets.

Numbers are :class:`~decimal.Decimal` with at most four decimals; moments stay as they were written, since
what a plain date means depends on the account's time zone (:mod:`cdp.audiences.conditions.moments`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

Scalar = str | Decimal | bool
# What an operator is the exact opposite of: it holds for a missing value too.
OPPOSITES = {
    "ne": "eq",
    "not_in": "in",
    "not_contains": "contains",
    "has_none": "has_any",
    "is_empty": "is_not_empty",
}


@dataclass(frozen=True, kw_only=True)
class Window:
    """``kind``: ever, in_last, not_in_last (``n`` of ``unit``), between (``start``, ``end``), before
    (``end``), after (``start``)."""

    kind: str = "ever"
    n: int = 0
    unit: str = ""
    start: str = ""
    end: str = ""


@dataclass(frozen=True, kw_only=True)
class Count:
    op: str = "gte"
    value: int = 1
    value2: int | None = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """What is asked of a value. ``value`` of lists is a tuple; ``value2`` of in_last, in_next is a unit."""

    op: str
    value: Scalar | tuple[Scalar, ...] | None = None
    value2: Scalar | None = None
    case: bool = False

    @property
    def is_negative(self) -> bool:
        return self.op in OPPOSITES

    @property
    def positive(self) -> str:
        return OPPOSITES.get(self.op, self.op)


@dataclass(frozen=True, kw_only=True)
class Predicate:
    """A check of one property of an event."""

    property: str
    check: Check


@dataclass(frozen=True, kw_only=True)
class Events:
    """Which events of a profile count."""

    event: str
    window: Window = Window()
    where: tuple[Predicate, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Did:
    events: Events
    count: Count = Count()
    count_by: str | None = None
    negated: bool = False  # did_not


@dataclass(frozen=True, kw_only=True)
class Attribute:
    name: str


@dataclass(frozen=True, kw_only=True)
class Calc:
    """``calc``: sum, count, avg, min, max, distinct, first, last, days_since_last."""

    calc: str
    events: Events
    property: str | None = None


@dataclass(frozen=True, kw_only=True)
class Top:
    """The first ``rank`` values of ``dimension``: category (its leaf, or a ``level``), brand, product."""

    dimension: str
    events: Events
    metric: str = "count"
    property: str | None = None
    rank: int = 1
    min_events: int = 1
    level: int | None = None


@dataclass(frozen=True, kw_only=True)
class Have:
    subject: Attribute | Calc | Top
    check: Check


@dataclass(frozen=True, kw_only=True)
class Member:
    audience: str
    is_in: bool = True


@dataclass(frozen=True, kw_only=True)
class Group:
    op: str
    children: tuple[Node, ...]
    negated: bool = False


Node = Group | Did | Have | Member
