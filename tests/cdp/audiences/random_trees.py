"""Random people and random condition documents about them; boundaries and odd values are likely."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from cdp.profiles.models import Consent, Interaction
from tests.cdp.audiences.population import Population

EVENTS = ("visit", "buy", "basket")
TEXTS = (
    "dk",
    "DK",
    "Dk ",
    "Straße",
    "STRASSE",
    "ΣΟΦΟΣ",
    "σοφος",
    "İx",
    "a.b",
    "  ",
    "",
    "12",
    "12.50",
    "007",
    "é",
)
DATES = (
    "1990-05-04",
    "1992-02-29",
    "2000-12-31",
    "2025-05-01",
    "2025-04-30",
    "2025-05-02",
    "2025-02-30",
    "2025-05-01T12:00:00Z",
    "2025-04-30T22:30:00Z",
    "2025-05-01T12:00:00.000001Z",
    "1992-02-29T03:00:00Z",
    "2025-05-01T12:00:00",
)
NUMBERS = (0, 1, 12, 12.5, -3, 0.0001, 100.1, 1000000, 12.4999)
ATTRIBUTES = ("country", "born", "points", "member", "tags", 'odd"name', "absent")
CATEGORIES = (("c1", "c11"), ("c1", "c12"), ("d1",), ("C1", "c11", "x"))
SPOTS = (
    timedelta(0),
    timedelta(microseconds=1),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=7),
    timedelta(days=30),
    timedelta(days=31),
    timedelta(days=365),
)


class Chance:
    def __init__(self, seed: int, *, as_of: datetime) -> None:
        self.random = random.Random(seed)
        self.as_of = as_of

    def one(self, values: Any) -> Any:
        return self.random.choice(values)

    def is_so(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def some(self, values: Any, most: int) -> list[Any]:
        return self.random.sample(values, self.random.randint(1, most))

    def moment(self) -> datetime:
        """Near an edge of some window, often on it, sometimes later than now."""
        off = timedelta(microseconds=self.one((0, 0, -1, 1, 1_000_000)))
        return self.as_of - self.one(SPOTS) * self.one((1, 1, 1, 2, -1)) + off

    # --- people -----------------------------------------------------------------------------------

    def populate(self, population: Population, *, people: int) -> None:
        rows = []
        for name in map(str, range(people)):
            population.person(name, self.attributes())
            rows += [self.event(population, name) for _ in range(self.one((0, 0, 1, 2, 5, 8)))]
        Interaction.objects.bulk_create(rows)
        Consent.objects.bulk_create(
            Consent(
                profile=profile,
                purpose=self.one(("marketing", "statistics")),
                status=self.one(("granted", "granted", "denied", "revoked")),
                given_at=self.as_of - self.one(SPOTS) * self.one((1, 1, -1)),
                expires_at=self.one((None, None, self.as_of, self.as_of + timedelta(microseconds=1))),
            )
            for profile in population.people.values()
            for _ in range(self.one((0, 1, 3)))
        )

    def attributes(self) -> dict[str, Any]:
        values: dict[str, Callable[[], Any]] = {
            "country": lambda: self.one(TEXTS),
            "born": lambda: self.one(DATES),
            "points": lambda: self.one((*NUMBERS, "12", "x")),
            "member": lambda: self.one((True, False, "true", 1)),
            "tags": lambda: self.some(TEXTS, 3) if self.is_so(0.8) else self.one(([], {}, "dk")),
        }
        return {key: (None if self.is_so(0.1) else make()) for key, make in values.items() if self.is_so(0.8)}

    def event(self, population: Population, name: str) -> Interaction:
        price = self.one((None, "0.10", "100.10", "60.10", "0.0001"))
        return population.row(
            name,
            self.one(EVENTS),
            self.moment(),
            path=self.one(((), *CATEGORIES)),
            product_id=self.one(("", "A", "a", "B", "é", "É")),
            brand=self.one(("", "Acme", "ACME", "Ötzi")),
            order_id=self.one(("", " ", "O1", "O2", "o1")),
            session=self.one(("", "s1", "s2")),
            quantity=self.one((None, 1, 2, 2_000_000_000)),
            subtotal=price,
            rating=self.one((None, 1, 5)),
            props=self.one(({}, {"size": "12"}, {"size": 12}, {"size": 12.5}, {"size": True}, {"size": " "})),
        )

    # --- documents --------------------------------------------------------------------------------

    def group(self, *, depth: int, audiences: list[str]) -> dict[str, Any]:
        return {
            "type": "group",
            "op": self.one(("and", "or")),
            "not": self.is_so(0.2),
            "children": [
                self.node(depth=depth - 1, audiences=audiences) for _ in range(self.one((1, 2, 2, 3)))
            ],
        }

    def node(self, *, depth: int, audiences: list[str]) -> dict[str, Any]:
        if depth and self.is_so(0.3):
            return self.group(depth=depth, audiences=audiences)
        if audiences and self.is_so(0.15):
            return {"type": "audience", "audience": self.one(audiences), "is": self.is_so(0.7)}
        if self.is_so(0.35):
            return {
                "type": self.one(("did", "did", "did_not")),
                **self.events(),
                "count": self.count(),
                "count_by": self.one((None, None, "order_id", "product_id", "session", "day")),
            }
        return self.have()

    def events(self) -> dict[str, Any]:
        where = [self.predicate() for _ in range(self.one((0, 0, 1, 2)))]
        return {"event": self.one(EVENTS), "window": self.window(), "where": where}

    def window(self) -> dict[str, Any]:
        kind = self.one(("ever", "in_last", "in_last", "not_in_last", "between", "before", "after"))
        if kind in ("in_last", "not_in_last"):
            unit = self.one(("hour", "day", "week", "month", "year"))
            return {"kind": kind, "n": self.one((1, 6, 7, 12, 30)), "unit": unit}
        if kind == "between":
            first = self.dt()
            return {"kind": kind, "from": first, "to": self.one(("2025-05-01", "2025-05-03T00:00:00Z"))}
        return {"kind": kind, "at": self.dt()} if kind != "ever" else {"kind": "ever"}

    def dt(self) -> str:
        return str(
            self.one(
                ("2025-04-30", "2025-05-01", "2025-05-01T06:00:00Z", "2025-04-24T12:00:00Z", "2025-04-01")
            )
        )

    def count(self) -> dict[str, Any]:
        op = self.one(("gte", "gt", "lte", "eq", "between"))
        first = self.random.randint(1, 3)
        return {"op": op, "value": first} | ({"value2": first + self.one((0, 1))} if op == "between" else {})

    def predicate(self) -> dict[str, Any]:
        kind, name = self.one(
            (
                ("text", "product_id"),
                ("text", "brand"),
                ("text", "order_id"),
                ("number", "subtotal"),
                ("number", "quantity"),
                ("number", "rating"),
                ("array", "category_path"),
                ("any", "size"),
            )
        )
        return {"property": name, **self.check(kind)}

    def have(self) -> dict[str, Any]:
        if self.is_so(0.45):
            return {"type": "have", "attribute": self.one(ATTRIBUTES[:5]), **self.check("any")}
        calc = self.one(
            (
                "sum",
                "count",
                "avg",
                "min",
                "max",
                "distinct",
                "first",
                "last",
                "days_since_last",
                "top",
                "top",
            )
        )
        if calc == "top":
            return {"type": "have", "attribute": self.top(), **self.check("text")}
        kind, name = "number", None
        if calc in ("sum", "avg", "min", "max"):
            name = self.one(("subtotal", "quantity", "size"))
        elif calc == "distinct":
            name = self.one(("product_id", "rating", "size"))
        elif calc in ("first", "last"):
            kind, name = self.one(
                (("moment", None), ("text", "product_id"), ("number", "subtotal"), ("any", "size"))
            )
        elif calc == "count":
            name = self.one((None, "rating"))
        attribute = {"calc": calc, "property": name, **self.events()}
        return {"type": "have", "attribute": attribute, **self.check(kind)}

    def top(self) -> dict[str, Any]:
        dimension = self.one(("category", "category", "brand", "product"))
        metric = self.one(("count", "sum"))
        calc = {
            "calc": "top",
            "dimension": dimension,
            "metric": metric,
            "property": "subtotal" if metric == "sum" else None,
            "rank": self.one((1, 1, 2)),
            "min_events": self.one((1, 1, 2)),
            **self.events(),
        }
        return calc | ({"level": self.one(("leaf", 0, 1, 2))} if dimension == "category" else {})

    def check(self, kind: str) -> dict[str, Any]:
        op = self.one(OPS[kind])
        if op in ("is_empty", "is_not_empty", "is_true", "is_false"):
            return {"op": op}
        found = {"op": op, **self.operands(op, kind)}
        return found | ({"case": True} if kind != "number" and self.is_so(0.3) else {})

    def operands(self, op: str, kind: str) -> dict[str, Any]:
        if op in ("in_last", "in_next"):
            return {"value": self.one((1, 7, 30)), "value2": self.one(("hour", "day", "month", "year"))}
        if op == "anniversary_in_next":
            return {"value": self.one((0, 3, 7, 300, 365))}
        if op in ("before", "after"):
            return {"value": self.dt()}
        if op in ("gt", "gte", "lt", "lte", "between"):
            return self.ordered(op, kind)
        if op == "regex":
            return {"value": self.one(("^d.$", "[A-Z]+", "s{2}|σ", "^(?:a|dk) ?$", r"\d", "^[^k]*$"))}
        if op in ("in", "not_in", "has_any", "has_all", "has_none"):
            texts = kind == "array" or op.startswith("has")
            return {"value": [self.text() if texts else self.scalar(kind) for _ in range(self.one((1, 2)))]}
        return {"value": self.scalar(kind) if op in ("eq", "ne") else self.text()}

    def ordered(self, op: str, kind: str) -> dict[str, Any]:
        if kind == "moment" or (kind == "any" and self.is_so()):
            later = self.one(("2025-05-01", "2025-05-02T12:00:00Z"))
            return {"value": self.one(("2025-04-30", "2025-05-01"))} | (
                {"value2": later} if op == "between" else {}
            )
        first = self.one(NUMBERS)
        return {"value": first} | ({"value2": first + self.one((0, 5))} if op == "between" else {})

    def scalar(self, kind: str) -> Any:
        if kind == "number" or (kind == "any" and self.is_so(0.4)):
            return self.one(NUMBERS)
        return self.is_so() if kind == "any" and self.is_so(0.2) else self.text()

    def text(self) -> str:
        return str(
            self.one(
                ("dk", "DK", "d", "straße", "ΣΟΦΟΣ", "ς", "i̇", "12", "a", "É", "acme", "c1", "c11", "O1")
            )
        )


SAME = ("eq", "ne", "in", "not_in", "is_empty", "is_not_empty")
ORDER = ("gt", "gte", "lt", "lte", "between")
PARTS = ("contains", "not_contains", "starts_with", "ends_with", "regex")
LISTS = ("has_any", "has_all", "has_none")
OPS = {
    "text": SAME + PARTS,
    "number": SAME + ORDER,
    "array": (*LISTS, "is_empty"),
    "moment": (*ORDER, "before", "after", "in_last", "in_next", "is_empty"),
    "any": (
        *SAME,
        *ORDER,
        *PARTS,
        *LISTS,
        *("before", "after", "in_last", "in_next", "anniversary_in_next", "is_true", "is_false"),
    ),
}
