"""What holds for every request, whatever its bytes."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from types import FrameType
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tests.tracking.conftest import KNOWN, NOW
from tracking import debugger
from tracking.collector import historic, intake, path
from tracking.collector.intake import Accepted
from tracking.events import NOT_DEFINED, RULES, Rule, Shape
from tracking.fields import BadEvent
from tracking.models import Event

# Pieces that mean something to the parser, in any order; pure noise is almost always refused at once.
PIECES = st.sampled_from(
    [
        b"/",
        b"//",
        b"?",
        b"&",
        b"=",
        b"%",
        b"%2F",
        b"%00",
        b"%FF",
        b"%5C",
        b"\\",
        b"+",
        b",",
        b"\0",
        b"\xff",
        b"http://",
    ]
    + [b"api", b"ebl", b"00000", b"strings", b"events", b"u", b"1", b"2147483648", b"not_defined", b"5"]
    + [code.encode() for code in RULES]
    + [name.encode() for rule in RULES.values() for name in rule.by_name]
    + ["é".encode(), b"2.50EUR", b"eng-GB", b"A/B", b"front", b"0", b"-1", b"\xd9\xa1"]
)
TARGETS = st.one_of(
    st.binary(max_size=300),
    st.lists(PIECES, max_size=30).map(b"".join),
    st.lists(PIECES, max_size=30).map(lambda pieces: b"/api/00000/" + b"".join(pieces)),
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.lists(PIECES, max_size=20).map(b"".join),
    st.text(alphabet='[]{}",:0123456789eu \n', max_size=100).map(str.encode),
)
KINDS = st.sampled_from(
    [
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "application/x-ndjson",
        "text/plain",
        "x;charset=y",
    ]
)
METHODS = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", ""])


def taken(target: bytes, *, method: str = "GET", body: bytes = b"", kind: str = "") -> Accepted:
    headers = {"content-type": kind} if kind else {}
    return intake.accept(target, method=method, headers=headers, body=body, find=KNOWN.get, now=NOW)


def outcome(target: bytes, **how: Any) -> Accepted | BadEvent:
    """Anything else that is raised fails the test."""
    try:
        return taken(target, **how)
    except BadEvent as reason:
        return reason


@given(target=TARGETS, method=METHODS, body=BODIES, kind=KINDS)
@limits(max_examples=400, deadline=None)
def test_it_takes_a_request_or_says_what_is_wrong(target: bytes, method: str, body: bytes, kind: str) -> None:
    found = outcome(target, method=method, body=body, kind=kind)
    if isinstance(found, BadEvent):
        assert 400 <= found.status < 500
        assert found.message
        assert "<" not in found.message
    else:
        assert found.answer.status in (200, 204)
        assert all(row.event in RULES and len(row.user) in (0, 32) for row in found.rows)


@given(target=TARGETS, number=st.integers(0, 3))
@limits(max_examples=200, deadline=None)
def test_it_takes_a_batch_or_says_what_is_wrong(target: bytes, number: int) -> None:
    body = target if number == 0 else b"[" + b",".join([target] * number) + b"]"
    found = outcome(b"/api/00000/events", method="POST", body=body, kind="application/json")
    status = found.status if isinstance(found, BadEvent) else found.answer.status
    assert status in (200, 400, 413, 415)


VALUES: dict[str, st.SearchStrategy[str]] = {
    "percentage": st.integers(0, 100).map(str),
    "quantity": st.integers(1, 1_000_000).map(str),
    "consent": st.sampled_from(["0", "1"]),
    "rating": st.integers(0, 100).map(str),
    "segments": st.lists(st.integers(1, 99_999), min_size=1, max_size=5).map(
        lambda all_: ",".join(map(str, all_))
    ),
    "lang": st.sampled_from(["eng-GB", "fre-FR", "de"]),
    "eventid": st.text(alphabet="abcXYZ0189-._~:!", min_size=1, max_size=64),
    "requestuuid": st.text(alphabet="0123456789abcdef-", min_size=1, max_size=36),
    "categorypath": st.lists(
        st.text(alphabet="aÜ日 &+%?=#;,", min_size=1, max_size=8).filter(str.strip), min_size=1, max_size=4
    ).map("/".join),
}
TEXTS = st.text(alphabet="abÜ日 &+%/?=#;,", min_size=1, max_size=20)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
PRICES = st.decimals("0", "9999999999", places=4)
UNTOLD = {"fullprice", "price", "currency", "overridetimestamp", "signature", "usersig"}


@st.composite
def priced_as(draw: st.DrawFn, code: str) -> dict[str, str]:
    """One of the ways in which an event names a price, or none."""
    whole = f"{draw(PRICES)}{draw(CURRENCIES)}"
    old = {"price": str(draw(st.integers(0, 9_999_999_999)))}
    ways: dict[str, list[dict[str, str]]] = {
        "buy": [{"fullprice": whole}, old, old | {"currency": draw(CURRENCIES)}],
        "wishlist": [{"price": whole}],
    }
    return draw(st.sampled_from([{}, *ways.get(code, [])]))


ITEM_IDS = st.integers(1, 2**31 - 1).map(str)


@st.composite
def requests(draw: st.DrawFn) -> str:
    """A request that is right, with any of its parameters."""
    rule: Rule = draw(st.sampled_from([*RULES.values()]))
    user = draw(st.text(alphabet="abÜ日 &+%/?=#;,@", min_size=1, max_size=20))
    sent = draw(priced_as(rule.code))
    for name, parameter in rule.by_name.items():
        if name == parameter.name and name not in UNTOLD and (parameter.required or draw(st.booleans())):
            sent[name] = draw(VALUES.get(name, TEXTS))
    subject = [quote(user, safe="")]
    if rule.shape is Shape.LOGIN:
        subject.insert(0, quote(user + "-before", safe=""))
    if rule.shape in (Shape.ITEM, Shape.ITEMS):
        many = 4 if rule.shape is Shape.ITEMS else 1
        subject += [draw(ITEM_IDS), ",".join(draw(st.lists(ITEM_IDS, min_size=1, max_size=many)))]
    return f"/api/00000/{rule.code}/{'/'.join(subject)}?{urlencode(sent)}"


@given(target=requests())
@limits(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_reads_what_is_written_of_an_event(target: str) -> None:
    """`parse(format(x)) == x`, but for the user, of whom only the pseudonym is known."""
    for row in taken(target.encode()).rows:
        written = debugger.request_of(Event(**priced(row._asdict()))).removeprefix("GET ")

        [again] = taken(written.encode()).rows

        # Of several items each is written as a request of its own.
        untold = {"user": NOT_DEFINED, "seq": 0}
        assert priced(again._asdict()) | untold == priced(row._asdict()) | untold


KEY = "1111-2222-3333-4444-5555"  # of the demo's customer, in the sites file


@given(
    when=st.datetimes(datetime(1990, 1, 1), datetime(2020, 1, 1)),  # noqa: DTZ001 - the wire has no zone
    item=ITEM_IDS,
    user=st.text(alphabet="abÜ日 &+%/?=#;,@", min_size=1, max_size=20),
    sent=st.dictionaries(st.sampled_from(["categorypath", "lang", "eventid", "other"]), TEXTS, max_size=3),
)
@limits(max_examples=100, deadline=None)
def test_it_reads_the_signed_time_that_was_written(
    when: datetime, item: str, user: str, sent: dict[str, str]
) -> None:
    sent |= {"lang": "eng-GB", "eventid": "4f1c"} | {"overridetimestamp": f"{when:%Y-%m-%dT%H:%M:%S}"}
    encoded, raw = historic.signatures(f"40&{item}", KEY, list(sent.items()))
    for signature in (encoded, raw):
        query = urlencode(sent | {"signature": signature})
        target = f"/api/10101/click/{quote(user, safe='')}/40/{item}?{query}"
        [row] = taken(target.encode()).rows
        assert datetime.fromtimestamp(row.ts / 1e6, UTC) == when.replace(microsecond=0, tzinfo=UTC)
        refused = outcome(target.replace(signature, historic.md5(signature)).encode())
        assert isinstance(refused, BadEvent)
        assert "does not match" in refused.message


def priced(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"price": None if fields["price"] is None else Decimal(fields["price"])}


@pytest.mark.parametrize("piece", ["%2F", "&a=1", "/u", "?x", "+", "%D9%A1", "&&", "=", "a,"])
@pytest.mark.parametrize(
    "start", ["/api/00000/click/", "/api/00000/click/u/1/2?", "/api/00000/rendered/u/1/"]
)
def test_it_costs_no_more_than_in_proportion_to_the_length(start: str, piece: str) -> None:
    small, large = (calls_of((start + piece * (size // len(piece))).encode()) for size in (900, 7200))
    assert large <= 12 * small + 200


@pytest.mark.parametrize("piece", ["%2F", "&a=1", "1,", "+", "%D9%A1", "/", "="])
@pytest.mark.parametrize("start", ["/api/00000/click/u/1/2?categorypath=", "/api/00000/rendered/u/1/"])
def test_it_takes_no_more_time_than_in_proportion_to_the_length(start: str, piece: str) -> None:
    """Calls do not show what one call of a pattern costs; eight times the text would take it 64 times."""
    small, large = (time_of((start + piece * (size // len(piece))).encode()) for size in (900, 7200))
    assert large <= 32 * small


def time_of(target: bytes) -> int:
    """Nanoseconds of the processor for one request: the best of many, for other work disturbs some."""
    found = []
    for _ in range(30):
        began = time.thread_time_ns()
        outcome(target)
        found.append(time.thread_time_ns() - began)
    return min(found)


def calls_of(target: bytes) -> int:
    """How many functions one request calls, those in C included; a time would depend on the machine."""
    count = 0

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    assert len(target) <= path.LONGEST_TARGET
    sys.setprofile(called)
    try:
        outcome(target)
    finally:
        sys.setprofile(None)
    return count
