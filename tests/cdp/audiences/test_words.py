"""A rule reads as a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from cdp.audiences.conditions.read import read
from cdp.audiences.words import phrase, sentence
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


def test_it_says_who_is_meant() -> None:
    tree = read(
        group(
            did("buy", window=last(30, "day")),
            either(have("country", "eq", "dk"), member("vip")),
            group(did("visit"), **{"not": True}),
        )
    )
    assert sentence(tree, {"vip": "Very important"}) == (
        "People who did buy in the last 30 days and (have country that is “dk” or are in the audience Very"
        " important) and do not fit this: (did visit)."
    )


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (did_not("buy"), "did not buy"),
        (did("buy", count={"op": "gte", "value": 2}), "did buy at least 2 times"),
        (
            did("buy", count={"op": "gte", "value": 1}, count_by="order_id"),
            "did buy at least 1 time (counting orders)",
        ),
        (did("buy", count={"op": "lte", "value": 3}), "did buy at least once and at most 3 times"),
        (did("buy", count={"op": "between", "value": 2, "value2": 4}), "did buy 2 to 4 times"),
        (did("buy", window=last(1, "hour")), "did buy in the last 1 hour"),
        (
            did("buy", window={"kind": "not_in_last", "n": 2, "unit": "week"}),
            "did buy more than 2 weeks ago",
        ),
        (did("buy", window=between("2025-01-01", "2025-01-31")), "did buy from 2025-01-01 until 2025-01-31"),
        (did("buy", window={"kind": "after", "at": "2025-01-01"}), "did buy from 2025-01-01 on"),
        (
            did("buy", where=[only("brand", "eq", "100 %"), only("subtotal", "gt", 5.5)]),
            "did buy where brand is “100 %” and subtotal is more than 5.5",
        ),
        (
            have(calc("sum", window=last(1, "year")), "gte", 100),
            "have a sum of subtotal over buy in the last 1 year that is at least 100",
        ),
        (
            have(calc("first", of=None), "before", "2025-01-01"),
            "have a first moment of buy that is before “2025-01-01”",
        ),
        (have(top("category"), "eq", "c1"), "have a top category by number of visit that is “c1”"),
        (
            have(top("brand", "buy", rank=3, metric="sum", property="subtotal"), "in", ["a", "b"]),
            "have one of the top 3 (brand) by subtotal of buy that is one of “a”, “b”",
        ),
        (
            have("born", "anniversary_in_next", 7),
            "have born that has its anniversary in the next 7 days",
        ),
        (have("tags", "has_none", ["x"], case=True), "have tags that has none of “x” (as it is spelled)"),
        (have("member", "eq", True), "have member that is true"),
        (have("seen_at", "in_last", 3, value2="hour"), "have seen_at that is in the last 3 hours"),
    ],
)
def test_it_puts_a_condition_into_words(node: dict[str, Any], expected: str) -> None:
    assert phrase(read(group(node)).children[0]) == expected


def test_it_speaks_the_readers_language() -> None:
    with translation.override("fr"):
        assert sentence(read(group(did("buy", window=last(30, "day"))))) != ""
