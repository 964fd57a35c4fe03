"""The quick look at an ordinary event ..."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.conftest import KNOWN, NOW
from tracking.collector import intake, quick
from tracking.events import SPELLINGS
from tracking.fields import BadEvent
from tracking.identity import pseudonym


def look(target: str):
    return quick.row(target.encode(), find=KNOWN.get, now=NOW)


def examined(target: bytes):
    """What the intake says of the same request, part by part; None for a refusal."""
    try:
        return intake.examine(target, method="GET", headers={}, body=b"", find=KNOWN.get, now=NOW)
    except BadEvent:
        return None


def agree(target: bytes) -> None:
    row = quick.row(target, find=KNOWN.get, now=NOW)
    if row is not None:
        found = examined(target)
        assert found is not None, target
        assert (found.rows, found.edges, found.answer.status) == ([row], [], 204)


def test_reads_the_click_of_a_shop():
    row = look("/api/00000/click/Js79009234YU7/1/123?categorypath=%2FShoes%2FChildren&utm=x&eventid=e-1")
    assert row is not None
    assert (row.user, row.item_id) == (pseudonym("00000", "Js79009234YU7"), "123")
    assert (row.category_path, row.event_id) == ("Shoes/Children", "e-1")


@pytest.mark.parametrize(
    "target",
    [
        "/api/99999/click/u/1/2",
        "/api/00000/click/u/1/007",
        "/api/00000/click/u/0/2",
        "/api/00000/click/u/1/2147483648",
        "/api/00000/click/a%2Fb/1/2",
        "/api/00000/buy/u/1/2?quantity=2",
        "/api/00000/login/u/v",
        "/api/00000/rate/u/1/2",
        "/api/00000/rate/u/1/2?rating=101",
        "/api/00000/click/u/1/2?eventid=a&eventid=a",
        "/api/00000/click/u/1/2?eventid=a&lang=de",
        "/api/00000/click/u/1/2?myeventid=a",
        "/api/00000/click/u/1/2?utm=1?eventid=x",
        "/api/00000/click/u/1/2?categorypath=Shoes?eventid=x",
        "/api/00000/click/u/1/2&eventid=x",
        "/api/00000/click/u/1/2/3",
        "x/api/00000/click/u/1/2",
        "/api/00000/click/u/1/2?lang=de&lang=de",
        "/api/00000/click/u/1/2?x=%5C",
        "/api/00000/click/u/1/2?x=%00",
        "/api/00000/click/u/1/2?x=%",
        "/api/00000/click/u/1/2?x=" + "y" * 500,
        "/api/00000/click/u/1/2?overridetimestamp=2012-01-01T11:00:00",
        "/api/00000/click/u/1/2\n",
    ],
)
def test_leaves_everything_else_to_the_intake(target):
    assert look(target) is None


def test_follows_a_change_of_the_key(settings):
    first = look("/api/00000/click/john/1/2")
    settings.PSEUDONYM_KEYS = ("another key",)
    second = look("/api/00000/click/john/1/2")
    assert first is not None
    assert second is not None
    assert first.user != second.user == pseudonym("00000", "john")


NAMES = sorted({"utm", "", "eventid", *(n for rule in SPELLINGS.values() for n in rule.by_name)})
VALUES = st.one_of(
    st.sampled_from(
        ["0", "1", "5", "100", "101", "", "EUR", "2.50EUR", "%2FA%2FB%2F", "a+b", "a=b", "%5c", "%", "%FF"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8),
)
PIECES = st.one_of(st.tuples(st.sampled_from(NAMES), VALUES).map("=".join), VALUES)
PATHS = st.tuples(
    st.sampled_from(["api", "ebl", "x"]),
    st.sampled_from([*KNOWN, "99999"]),
    st.sampled_from([*SPELLINGS, "clik"]),
    st.sampled_from(["u", "not_defined", "", "..", "a%20b", "u" * 128, "u" * 129]),
    st.sampled_from(["1", "01", "0", "999999999", "1000000000", "4294967296"]),
    st.sampled_from(["7", "007", "0", "7,8", "", "abc", "999999999", "2147483648"]),
).map("/".join)


@given(PATHS, st.lists(PIECES, max_size=5).map("&".join))
def test_agrees_with_the_intake_about_every_request(path, query):
    agree(f"/{path}?{query}".encode())


@given(PATHS, st.lists(st.one_of(PIECES, st.sampled_from("?&")), max_size=6).map("".join))
def test_agrees_with_the_intake_however_a_query_is_joined(path, query):
    agree(f"/{path}?{query}eventid=x".encode())


@given(st.lists(PIECES, max_size=4).map("&".join), st.sampled_from(["click", "consume", "rate", "follow"]))
def test_agrees_with_the_intake_about_every_query(query, code):
    agree(f"/api/1234/{code}/u/1/7?{query}&scenario=s&rating=5&eventid=1".encode())


@given(st.binary(max_size=60))
def test_agrees_with_the_intake_about_any_bytes(tail):
    agree(b"/api/00000/click/" + tail)
    agree(b"/api/00000/click/u/1/2?" + tail)
