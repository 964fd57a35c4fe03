"""What is wrong with a condition document is said with code and pointer (reference `cdp.md` 3.3)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cdp.audiences.conditions.canonical import written
from cdp.audiences.conditions.faults import BadDefinition
from cdp.audiences.conditions.read import Known, read, warnings
from cdp.audiences.conditions.walk import in_order
from cdp.profiles.vocabulary import EVENTS
from tests.cdp.audiences.conftest import TYPES
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
    nested,
    only,
    top,
)

KNOWN = Known(zone=ZoneInfo("UTC"), events=EVENTS, attributes=TYPES, audiences={"buyers"})


def found(document: Any, known: Known = KNOWN) -> list[tuple[str, str]]:
    with pytest.raises(BadDefinition) as raised:
        read(document, known)
    assert all(one.message for one in raised.value.problems)
    return [(one.code, one.pointer) for one in raised.value.problems]


def test_it_reads_every_kind_of_condition_and_writes_it_back() -> None:
    document = group(
        did("buy", window=last(30, "day"), count={"op": "between", "value": 1, "value2": 3}),
        did_not("buy in store", count_by="order_id", where=[only("brand", "in", ["A", "b"], case=True)]),
        either(have("country", "eq", "DK"), have(calc("sum"), "gte", 100.1)),
        have(top("category", rank=3, level=0), "eq", "c1"),
        have("seen_at", "in_last", 3, value2="week"),
        member("buyers", is_in=False),
        **{"not": True},
    )
    tree = read(document, KNOWN)
    canonical = written(tree)
    assert read(canonical, KNOWN) == tree
    assert written(read(canonical)) == canonical
    assert canonical["children"][0]["count"] == {"op": "between", "value": 1, "value2": 3}
    assert canonical["children"][2]["children"][1]["value"] == 100.1


A27: list[tuple[str, Any, str, str]] = [
    ("no children", group(), "empty_group", "/children"),
    ("empty inside", group(group()), "empty_group", "/children/0/children"),
    ("depth 7", nested(7), "too_deep", "/children/0" * 6),
    ("n = 0", did("buy", window=last(0, "day")), "bad_window", "/children/0/window/n"),
    ("n < 0", did("buy", window=last(-1, "day")), "bad_window", "/children/0/window/n"),
    (
        "from = to",
        did("buy", window=between("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z")),
        "bad_window",
        "/children/0/window/to",
    ),
    (
        "from > to",
        did("buy", window=between("2025-01-02", "2025-01-01")),
        "bad_window",
        "/children/0/window/to",
    ),
    ("unit", did("buy", window=last(1, "fortnight")), "bad_window", "/children/0/window/unit"),
    ("kind", did("buy", window={"kind": "soon"}), "bad_window", "/children/0/window"),
    ("window text", did("buy", window="ever"), "bad_window", "/children/0/window"),
    ("no date", did("buy", window={"kind": "before", "at": "soon"}), "bad_window", "/children/0/window/at"),
    (
        "no day",
        did("buy", window={"kind": "after", "at": "2025-02-30"}),
        "bad_window",
        "/children/0/window/at",
    ),
    ("window key", did("buy", window={"kind": "ever", "n": 1}), "bad_window", "/children/0/window/n"),
    ("event", did("fly"), "unknown_event", "/children/0/event"),
    ("no event", {"type": "did"}, "unknown_event", "/children/0/event"),
    ("event list", did(["buy"]), "unknown_event", "/children/0/event"),  # type: ignore[arg-type]
    ("attribute", have("shoe", "eq", 1), "unknown_attribute", "/children/0/attribute"),
    ("attribute list", have(["x"], "eq", 1), "unknown_attribute", "/children/0/attribute"),
    ("calc", have({"calc": "median"}, "eq", 1), "unknown_attribute", "/children/0/attribute/calc"),
    ("calc event", have(calc("sum", "fly"), "eq", 1), "unknown_event", "/children/0/attribute/event"),
    ("sum of text", have(calc("sum", of="brand"), "eq", 1), "bad_value", "/children/0/attribute/property"),
    ("sum of nothing", have(calc("sum", of=None), "eq", 1), "bad_value", "/children/0/attribute/property"),
    ("dimension", have(top("colour"), "eq", "red"), "bad_value", "/children/0/attribute/dimension"),
    ("level", have(top("category", level=10), "eq", "c"), "bad_value", "/children/0/attribute/level"),
    ("level of brand", have(top("brand", level=1), "eq", "c"), "bad_value", "/children/0/attribute/level"),
    ("rank", have(top("brand", rank=0), "eq", "c"), "bad_value", "/children/0/attribute/rank"),
    ("operator", have("country", "like", "x"), "bad_operator", "/children/0/op"),
    ("operator of sum", have(calc("sum"), "contains", "x"), "bad_operator", "/children/0/op"),
    ("operator of top", have(top("brand"), "gt", 1), "bad_operator", "/children/0/op"),
    ("no value", have("country", "eq"), "bad_value", "/children/0/value"),
    ("value too much", have("country", "is_empty", 1), "bad_value", "/children/0/value"),
    ("value2 too much", have("country", "eq", "x", value2="y"), "bad_value", "/children/0/value2"),
    ("blank", have("country", "contains", "  "), "bad_value", "/children/0/value"),
    ("NUL", have("country", "eq", "a\0"), "bad_value", "/children/0/value"),
    ("half a pair", have("country", "eq", "\ud800"), "bad_value", "/children/0/value"),
    ("object", have("country", "eq", {}), "bad_value", "/children/0/value"),
    ("no list", have("country", "in", "x"), "bad_value", "/children/0/value"),
    ("empty list", have("country", "in", []), "bad_value", "/children/0/value"),
    ("five decimals", have("points", "gt", 0.00001), "bad_value", "/children/0/value"),
    ("infinite", have("points", "gt", float("inf")), "bad_value", "/children/0/value"),
    ("too large", have("points", "gt", 10**15), "bad_value", "/children/0/value"),
    ("truth as number", have("points", "gt", True), "bad_value", "/children/0/value"),
    ("between", have("points", "between", 5, value2=4), "bad_value", "/children/0/value2"),
    ("half between", have("points", "between", 5), "bad_value", "/children/0/value2"),
    ("mixed between", have("points", "between", 5, value2="2025-01-01"), "bad_value", "/children/0/value2"),
    ("moment", have("born", "before", "yesterday"), "bad_value", "/children/0/value"),
    ("days", have("born", "anniversary_in_next", 366), "bad_value", "/children/0/value"),
    ("steps", have("born", "in_last", 0), "bad_value", "/children/0/value"),
    ("step unit", have("born", "in_last", 1, value2="age"), "bad_value", "/children/0/value2"),
    ("pattern", have("country", "regex", "(a+)+"), "bad_value", "/children/0/value"),
    ("case", have("country", "eq", "x", case=1), "bad_value", "/children/0/case"),
    ("zero times", did("buy", count={"op": "eq", "value": 0}), "use_did_not", "/children/0/count"),
    ("at most zero", did("buy", count={"op": "lte", "value": 0}), "use_did_not", "/children/0/count"),
    ("less than one", did("buy", count={"op": "lt", "value": 1}), "use_did_not", "/children/0/count"),
    ("count", did("buy", count={"op": "gte", "value": 1.5}), "bad_value", "/children/0/count/value"),
    ("count op", did("buy", count={"op": "ne", "value": 1}), "bad_operator", "/children/0/count/op"),
    ("count number", did("buy", count=2), "bad_value", "/children/0/count"),
    ("count by", did("buy", count_by="colour"), "bad_value", "/children/0/count_by"),
    ("filter", did("buy", where=[1]), "bad_value", "/children/0/where/0"),
    ("filters", did("buy", where={}), "bad_value", "/children/0/where"),
    ("property", did("buy", where=[only("a b", "eq", 1)]), "bad_value", "/children/0/where/0/property"),
    (
        "property op",
        did("buy", where=[only("subtotal", "contains", "1")]),
        "bad_operator",
        "/children/0/where/0/op",
    ),
    ("audience", member("nobody"), "unknown_audience", "/children/0/audience"),
    ("is", {"type": "audience", "audience": "buyers", "is": "no"}, "bad_value", "/children/0/is"),
    ("type", {"type": "xor"}, "bad_value", "/children/0/type"),
    ("type list", {"type": []}, "bad_value", "/children/0/type"),
    ("no object", 7, "bad_value", "/children/0"),
    ("key", did("buy", windows={}), "bad_value", "/children/0/windows"),
    ("group op", {**group(did("buy")), "op": "nor"}, "bad_operator", "/op"),
    ("not", group(did("buy"), **{"not": 1}), "bad_value", "/not"),
    ("children", {"type": "group", "op": "and", "children": {}}, "bad_value", "/children"),
]


@pytest.mark.case("A27")
@pytest.mark.parametrize(("about", "node", "code", "pointer"), A27, ids=[one[0] for one in A27])
def test_it_says_what_is_wrong_and_where(about: str, node: Any, code: str, pointer: str) -> None:
    is_group = isinstance(node, dict) and node.get("type") == "group"
    assert (code, pointer) in found(node if is_group else group(node))


@pytest.mark.parametrize("document", [None, [], "x", 1, {}, did("buy"), {"type": "group"}])
def test_it_refuses_what_is_no_group(document: Any) -> None:
    assert found(document)


def test_it_finds_every_problem_at_once() -> None:
    assert found(group(did("fly"), have("shoe", "eq", 1), group())) == [
        ("unknown_event", "/children/0/event"),
        ("unknown_attribute", "/children/1/attribute"),
        ("empty_group", "/children/2/children"),
    ]


@pytest.mark.case("A27")
def test_it_takes_200_nodes_and_no_more() -> None:
    def of(nodes: int) -> dict[str, Any]:
        """The outermost group, three of 50 conditions, and one with the rest."""
        full = [group(*[did("buy")] * 50) for _ in range(3)]
        return group(*full, group(*[did("buy")] * (nodes - 1 - 3 * 51 - 1)))

    read(of(200), KNOWN)
    assert [code for code, _ in found(of(201))] == ["too_many_nodes"]
    assert [code for code, _ in found(group(*[did("buy")] * 51))] == ["too_many_nodes"]


def test_it_takes_six_groups_in_each_other() -> None:
    read(nested(6), KNOWN)


def test_it_warns_where_nothing_can_be_compared() -> None:
    document = group(have("country", "gt", 5), have("points", "gt", 5), have("tags", "eq", "x"))
    assert [(one.code, one.pointer) for one in warnings(document, KNOWN)] == [
        ("type_mismatch", "/children/0/op"),
        ("type_mismatch", "/children/2/op"),
    ]


def test_it_names_the_path_of_a_cycle() -> None:
    trees = {"a": read(group(member("b"))), "b": read(group(group(member("a"))))}
    with pytest.raises(BadDefinition, match="cycle: a → b → a") as raised:
        in_order(trees["a"], trees.get, name="a")
    assert raised.value.problems[0].code == "cycle"
    with pytest.raises(BadDefinition, match="cycle: a → a"):
        in_order(read(group(member("a"))), trees.get, name="a")


def test_it_takes_two_ways_to_one_audience() -> None:
    trees = {"a": read(group(did("buy"))), "b": read(group(member("a"))), "c": read(group(member("a")))}
    assert in_order(read(group(member("b"), member("c"))), trees.get, name="d") == ["a", "b", "c"]
