"""The acceptance cases of audiences (reference `cdp.md` 8.3): who is in.

Cases that are printed there have their numbers; those between them follow from the same rules.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from cdp.audiences.compile.statement import Rule, statement
from cdp.audiences.conditions.read import read
from tests.cdp.audiences.documents import (
    between,
    calc,
    did,
    did_not,
    either,
    group,
    have,
    last,
    member,
    only,
    top,
)
from tests.cdp.audiences.population import Population, at

NOW = "2025-05-01T12:00:00Z"
BIRTHDAY = have("born", "anniversary_in_next", 7)
BOUGHT = did("buy")
OTHERS = {
    "buyers": group(BOUGHT),
    "a": group(BOUGHT),
    "b": group(member("a")),
    "c": group(member("a")),
    "recent": group(did("visit", window=last(6, "hour"))),
}
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("A01", did("visit", window=last(30, "day")), "P1 P2"),
    ("A02", did_not("visit", window=last(30, "day")), "P3 P4 P5"),
    ("A03", did("buy", count={"op": "gte", "value": 2}), "P1 P5"),
    ("A04", did("buy", count={"op": "gte", "value": 2}, count_by="order_id"), "P5"),
    ("A05", did("visit", count={"op": "lte", "value": 3}), "P2 P3"),
    ("A06", did_not("buy"), "P2 P3 P4"),
    ("A07", have(calc("sum"), "gte", 100.10), "P1 P5"),
    ("A08", have(calc("sum"), "lt", 1), "P2 P3 P4"),
    ("A09", have(calc("sum"), "eq", 100.15), "P5"),
    ("A10", have(calc("count", of=None), "eq", 0), "P2 P3 P4"),
    ("A11", have(calc("avg"), "lt", 1000), "P1 P5"),
    ("A11 not", have(calc("avg"), "ne", 50.05), "P2 P3 P4 P5"),
    ("A12", have("country", "eq", "dk"), "P1 P5"),
    ("A13", have("country", "eq", "dk", case=True), "P5"),
    ("A14", have("country", "ne", "dk"), "P2 P3 P4"),
    ("A15", have("country", "is_empty"), "P2 P3"),
    ("A16", have("country", "in", ["DE", "fr"]), "P4"),
    ("A17", did("buy", window=between("2025-04-20", "2025-04-20")), "P1"),
    ("A17 end", did("buy", window=between("2025-04-20T00:00:00Z", "2025-04-20T09:00:00Z")), ""),
    ("A18", did("buy", window={"kind": "after", "at": "2025-04-20T09:00:00Z"}), "P1"),
    ("A18 before", did("buy", window={"kind": "before", "at": "2025-04-20T09:00:00Z"}), "P5"),
    ("A19", did("buy", where=[only("product", "eq", "A"), only("subtotal", "eq", 60.10)]), ""),
    ("A19 same", did("buy", where=[only("product", "eq", "b"), only("subtotal", "eq", 60.10)]), "P1"),
    ("A20", did("buy", window=last(3, "month")), "P1 P5"),
    ("A20 later", did("buy", window={"kind": "not_in_last", "n": 3, "unit": "month"}), "P5"),
    ("A21", group(member("buyers", is_in=False), have("country", "eq", "de")), "P4"),
    ("A22", group(have("country", "eq", "dk"), did("visit"), **{"not": True}), "P2 P3 P4 P5"),
    ("A23", BIRTHDAY, "P1"),
    ("A24 category", have(top("category"), "eq", "d1"), "P3"),
    ("A24 tie", have(top("category"), "eq", "c11"), "P1 P2"),
    ("A24 rank", have(top("category", rank=2), "eq", "d1"), "P1 P3"),
    ("A24 level", have(top("category", level=0), "eq", "c1"), "P1 P2"),
    ("A24 sum", have(top("product", "buy", metric="sum", property="subtotal"), "eq", "B"), "P1"),
    ("A25", group(member("b"), member("c")), "P1 P5"),
    ("A26 basket", did("basket"), ""),
    ("A26 days", have(calc("days_since_last", of=None), "gte", 61), "P5"),
    ("A26 first", have(calc("first", of="product_id"), "eq", "a"), "P1"),
    ("A26 last", have(calc("last", of=None), "before", "2025-03-01"), "P5"),
    ("A26 distinct", have(calc("distinct", "visit", of="product_id"), "eq", 2), "P1"),
    ("A26 or", either(have("country", "eq", "de"), did("visit", window=last(1, "hour"))), "P1 P4"),
]


def members(population: Population, node: dict[str, Any], *, as_of: str = NOW) -> str:
    document = node if node["type"] == "group" else group(node)
    others = {name: Rule(tree=read(one)) for name, one in OTHERS.items()}
    asked = statement(Rule(tree=read(document)), account=population.account, as_of=at(as_of), others=others)
    with connection.cursor() as cursor:
        cursor.execute(*asked.members())
        found = [row[0] for row in cursor.fetchall()]
    assert len(found) == len(set(found))
    return population.names(found)


@pytest.mark.case(
    "A01", "A03", "A05", "A07", "A09", "A11", "A12", "A13", "A15", "A17", "A19", "A21", "A23", "A25"
)
@pytest.mark.parametrize(("case", "node", "expected"), CASES, ids=[case for case, _, _ in CASES])
def test_it_finds_who_is_in(population: Population, case: str, node: dict[str, Any], expected: str) -> None:
    assert members(population, node) == expected


def test_it_has_the_cases_that_it_is_marked_with() -> None:
    marks = [one for one in test_it_finds_who_is_in.pytestmark if one.name == "case"]  # type: ignore[attr-defined]
    assert {case for one in marks for case in one.args} <= {case.split()[0] for case, _, _ in CASES}


@pytest.mark.case("A23")
def test_it_counts_29_february_as_the_28th_in_other_years(population: Population) -> None:
    assert members(population, BIRTHDAY, as_of="2025-02-21T12:00:00Z") == "P5"
    assert members(population, BIRTHDAY, as_of="2025-02-20T12:00:00Z") == ""
    assert members(population, BIRTHDAY, as_of="2024-02-21T12:00:00Z") == ""
    assert members(population, BIRTHDAY, as_of="2024-02-22T12:00:00Z") == "P5"


def test_it_includes_the_last_instant_and_leaves_out_what_comes_later(population: Population) -> None:
    basket = did("basket")
    assert members(population, basket, as_of="2025-05-01T12:00:00Z") == ""
    assert members(population, basket, as_of="2025-05-01T12:00:01Z") == "P3"


def test_it_takes_days_of_the_accounts_time_zone(db: None) -> None:
    found = Population(2000, zone="America/Sao_Paulo")
    found.person("late")
    found.did("late", "buy", "2025-04-21T01:30:00Z", order_id="1")  # 22:30 on the 20th there
    assert members(found, did("buy", window=between("2025-04-20", "2025-04-20"))) == "late"
    assert members(found, did("buy", window=between("2025-04-21", "2025-04-21"))) == ""


def test_it_leaves_out_people_of_other_accounts(population: Population) -> None:
    other = Population(2000)
    other.person("theirs", {"country": "DK"})
    other.did("theirs", "buy", "2025-04-20T09:00Z")
    assert members(population, did("buy")) == "P1 P5"
    assert members(other, did_not("visit")) == "theirs"


def test_it_leaves_out_who_is_suppressed(population: Population) -> None:
    name = population.identities["P1"]
    population.account.suppressions.create(kind=name.kind, digest=name.digest)
    assert members(population, did("buy")) == "P5"
    assert members(population, did_not("basket")) == "P2 P3 P4 P5"
