"""A batch of events ..."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from config.customers.directory import create_customer
from tests.tracking.conftest import KNOWN, NOW
from tracking.collector import batch, intake, quick
from tracking.collector.body import BIGGEST_BODY
from tracking.fields import BadEvent
from tracking.identity import pseudonym
from tracking.models import Event, IdentityEdge

URL = "/api/00000/events"
CLICK = {"event": "click", "user": "u", "itemtype": 1, "item": 2, "categorypath": "/A/B/"}
RENDERED = {**CLICK, "event": "rendered", "item": list(range(1, 401))}
BUY = {"event": "buy", "user": "u", "itemtype": "1", "item": "7"}


@pytest.fixture
def send(accept):
    """Send a document (or bytes), return what was accepted and the answer's document."""

    def run(body: object, *, kind: str = "application/json", target: str = URL):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        found = accept(target, method="POST", body=raw, **{"content-type": kind})
        return found, json.loads(found.answer.body)

    return run


def test_stores_what_single_requests_would_have_stored(send, accept):
    found, answer = send(
        [
            CLICK,
            {
                "event": "buy",
                "user": "a/b",
                "itemtype": "1",
                "item": "7",
                "quantity": 2,
                "fullprice": "4.44EUR",
            },
            {"event": "login", "source": "x", "user": "y"},
            {"event": "rendered", "user": "u", "itemtype": 1, "item": [3, 4], "scenario": "front"},
        ]
    )
    singles = [
        accept("/api/00000/click/u/1/2?categorypath=%2FA%2FB%2F"),
        accept("/api/00000/buy/a%2Fb/1/7?quantity=2&fullprice=4.44EUR"),
        accept("/api/00000/login/x/y"),
        accept("/api/00000/rendered/u/1/3,4?scenario=front"),
    ]
    assert list(found.rows) == [row for one in singles for row in one.rows]
    assert list(found.edges) == [edge for one in singles for edge in one.edges]
    assert answer == {
        "accepted": 4,
        "rejected": 0,
        "results": [{"index": number, "status": 204} for number in range(4)],
    }


@pytest.mark.parametrize(
    ("event", "status", "sentence"),
    [
        ({**CLICK, "event": "clik"}, 404, "did you mean click?"),
        ({**CLICK, "event": ""}, 400, "event must be given"),
        ({**CLICK, "event": 7}, 404, "not found"),
        ({**CLICK, "itemtype": 0}, 400, "itemtypeid must be 1 to 2147483647"),
        ({**CLICK, "item": 2147483648}, 400, "itemid must be 1 to 2147483647"),
        ({**CLICK, "item": 1.5}, 400, "whole number"),
        ({**CLICK, "item": [1]}, 400, "must be a text or a whole number"),
        ({**CLICK, "item": True}, 400, "must be a text or a whole number"),
        ({**CLICK, "item": "٣"}, 400, "itemid"),
        ({**CLICK, "user": None}, 400, "user must be given"),
        ({**CLICK, "user": "a\0b"}, 400, "NUL"),
        ({**CLICK, "user": "a\\b"}, 400, "backslash"),
        ({**CLICK, "user": "x" * 1025}, 400, "max 1,024"),
        ({**CLICK, "event": "rate"}, 400, "rating must be given"),
        ({**CLICK, "event": "rate", "rating": 101}, 400, "0 to 100"),
        ({**CLICK, "event": "rendered", "item": []}, 400, "item must be given"),
        ({**CLICK, "event": "rendered", "item": list(range(1, 502))}, 400, "max 500"),
        ({**CLICK, "event": "rendered", "item": [1] * 500 + ["\0"]}, 400, "max 500"),
        (CLICK | dict.fromkeys(map(str, range(100)), "1"), 400, "at most 100 parameters"),
        ({**CLICK, "event": "login", "source": "u"}, 400, "same user"),
        ("click", 400, "must be a JSON object"),
        ([], 400, "must be a JSON object"),
    ],
)
def test_refuses_one_event_with_its_sentence_and_stores_the_others(send, event, status, sentence):
    found, answer = send([CLICK, event, CLICK])
    assert (answer["accepted"], answer["rejected"], len(found.rows)) == (2, 1, 2)
    assert answer["results"][1]["status"] == status
    assert sentence in answer["results"][1]["message"]


REPEATED = [
    b'{"event":"buy","user":"u","itemtype":1,"item":7,"quantity":1,"quantity":2}',
    b'{"event":"click","user":"u","user" : "v","itemtype":1,"item":7,"categorypath":"a:b"}',
    b'{"event":"click","user":"u","itemtype":1,"item":7,"it\\u0065m":7}',
]


@pytest.mark.parametrize("event", REPEATED)
def test_refuses_an_event_that_gives_a_name_twice(send, event):
    good = json.dumps({**CLICK, "eventid": "a:b", "item": 7}).encode()
    for body in (b"[%s,%s]" % (good, event), b'{"events": [%s,%s]}' % (good, event)):
        found, answer = send(body)
        assert (answer["accepted"], answer["rejected"], len(found.rows)) == (1, 1, 1)
        assert answer["results"][1]["status"] == 400
        assert "given twice" in answer["results"][1]["message"]
    found, answer = send(good + b"\n" + event, kind="application/x-ndjson")
    assert [result["status"] for result in answer["results"]] == [204, 400]


def test_refuses_a_body_that_gives_its_events_twice(send):
    with pytest.raises(BadEvent, match="events given twice"):
        send(b'{"events": [], "events": [1]}')


def test_ignores_what_it_does_not_read_however_often(send):
    found, answer = send(
        b'[{"event":"click","user":"u","itemtype":1,"item":7,"x":1,"x":{"y":%s}}]' % (b"9" * 300)
    )
    assert answer["results"][0]["status"] == 400  # a structure is no value
    found, answer = send(b'[{"event":"click","user":"u","itemtype":1,"item":7,"x":1,"x":"2"}]')
    assert len(found.rows) == 1


def test_reads_lines_and_names_the_broken_one(send):
    lines = [json.dumps(CLICK).encode(), b"{broken", b"", json.dumps(CLICK).encode()]
    found, answer = send(b"\r\n".join(lines), kind="application/x-ndjson; charset=utf-8")
    assert len(found.rows) == 2
    assert [result["status"] for result in answer["results"]] == [204, 400, 204]
    assert "not valid JSON" in answer["results"][1]["message"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "sentence"),
    [
        (b"[]", "application/json", 400, "holds no event"),
        (b"{}", "application/json", 400, "must be a list of events"),
        (b"[", "application/json", 400, "not valid JSON"),
        (b"[" * 100_000, "application/json", 400, "too deep"),
        (b'[{"a": NaN}]', "application/json", 400, "not valid JSON"),
        (b'["\\ud800"]', "application/json", 400, "not valid JSON"),
        (json.dumps([CLICK] * 501).encode(), "application/json", 413, "at most 500"),
        (
            json.dumps([{**CLICK, "event": "rendered", "item": list(range(1, 401))}] * 30).encode(),
            "application/json",
            413,
            "at most 10000 items",
        ),
        (
            json.dumps([{**CLICK, "event": "rendered", "item": [1] * 500}] * 21).encode(),
            "application/json",
            413,
            "at most 10000 items",
        ),
        (b"x" * (BIGGEST_BODY + 1), "application/json", 413, "at most 1048576 bytes"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "application/x-ndjson"),
        (b"[]", "application/json; charset=utf-16", 415, "UTF-8"),
    ],
)
def test_refuses_a_body_as_a_whole(send, body, kind, status, sentence):
    with pytest.raises(BadEvent) as refused:
        send(body, kind=kind)
    assert refused.value.status == status
    assert sentence in refused.value.message


def test_takes_nothing_but_posts(accept):
    with pytest.raises(BadEvent) as refused:
        accept(URL, method="GET")
    assert (refused.value.status, refused.value.allow) == (405, batch.METHODS)


@pytest.mark.parametrize("target", [URL, URL + "/", URL + "?x=1"])
def test_names_its_own_methods(accept, target):
    answer = accept(target, method="OPTIONS").answer
    assert {dict(answer.headers)[name] for name in ("Allow", "Access-Control-Allow-Methods")} == {
        batch.METHODS
    }
    with pytest.raises(BadEvent) as refused:
        accept(target, method="PUT")
    assert (refused.value.status, refused.value.allow) == (405, batch.METHODS)
    others = dict(accept("/api/00000/events/u/1/2", method="OPTIONS").answer.headers)
    assert others["Allow"] == "GET, HEAD, POST, OPTIONS"


def test_takes_its_address_with_a_slash_at_the_end(send):
    found, _answer = send([CLICK], target=URL + "/")
    assert len(found.rows) == 1


def test_knows_no_other_customer(send):
    with pytest.raises(BadEvent) as refused:
        send([CLICK], target="/api/99999/events")
    assert refused.value.status == 404


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
EVENT = st.fixed_dictionaries(
    {"event": st.sampled_from(["click", "buy", "rendered", "login", "rate"]) | JSON},
    optional=dict.fromkeys(("user", "itemtype", "item", "source", "rating", "fullprice", "eventid"), JSON),
)


@given(st.lists(EVENT, min_size=1, max_size=4))
@limits(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_answers_for_every_event_whatever_it_is(events):
    body = json.dumps(events, allow_nan=False, default=str) if finite(events) else "[1]"
    headers = {"content-type": "application/json"}
    found = intake.accept(
        URL.encode(), method="POST", headers=headers, body=body.encode(), find=KNOWN.get, now=NOW
    )
    answer = json.loads(found.answer.body)
    assert answer["accepted"] + answer["rejected"] == len(json.loads(body))
    assert bool(found.rows) <= bool(answer["accepted"])


def finite(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


@pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
def test_is_committed_when_it_is_answered(client):
    create_customer(name="Shop", kind="commerce", customer_id="4711")
    login = {"event": "login", "source": "s", "user": "t"}
    events = [{**CLICK, "eventid": "one"}, {**CLICK, "eventid": "one"}, login, {"event": "?"}]
    response = client.post("/api/4711/events", events, content_type="application/json")
    assert response.status_code == 200
    assert (response.json()["accepted"], response.json()["rejected"]) == (3, 1)
    assert sorted(Event.objects.values_list("event", flat=True)) == ["click", "login"]
    assert IdentityEdge.objects.get().target == pseudonym("4711", "t")


DOCUMENTS = st.fixed_dictionaries(
    {
        "event": st.sampled_from(["click", "consume", "rate", "buy", "clickrecommended", "clik", "login", 5]),
        "user": st.sampled_from(["u", "not_defined", "a/b", "Ü", "", 7, None]),
        "itemtype": st.sampled_from([1, "1", True, "01", 0, 2**31, None]),
        "item": st.sampled_from([2, "2", "007", "abc", 2**31, [1, 2], None]),
    },
    optional={
        "categorypath": st.sampled_from(["A/B", "/A/", "Ä+ b", "x" * 600, 5]),
        "eventid": st.sampled_from(["e-1", "é", "", 5, "a b"]),
        "lang": st.sampled_from(["de", "x y"]),
        "percentage": st.sampled_from([50, "50", 101, True]),
        "rating": st.sampled_from([5, "5", 500]),
        "scenario": st.sampled_from(["front", ""]),
        "consent": st.sampled_from(["0", "1", 1, "2"]),
        "segments": st.sampled_from(["1,2", "x"]),
        "other": st.sampled_from(["x", {}, 1.5]),
    },
)


@given(document=DOCUMENTS, name=st.sampled_from(["00000", "asking"]), nobody=st.booleans())
def test_it_reads_a_plain_event_as_it_reads_every_other(document, name, *, nobody):
    quick_row = quick.row_of_document(KNOWN[name], document, received=NOW, nobody=nobody)
    if quick_row is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "row_of_document", lambda *_, **__: None)
        rows, edges = batch.one(KNOWN[name], document, received=NOW, nobody=nobody)
    assert (rows, edges) == ([quick_row], [])


def test_it_reads_the_ordinary_event_quickly():
    document = {"event": "click", "user": "u", "itemtype": 1, "item": 2, "categorypath": "A", "eventid": "e"}
    assert quick.row_of_document(KNOWN["00000"], document, received=NOW, nobody=False) is not None
