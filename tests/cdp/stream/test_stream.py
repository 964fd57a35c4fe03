"""The address for deliveries ..."""

from __future__ import annotations

import gzip
import uuid
from typing import Any

import orjson
import pytest

from cdp.dataflows import lifecycle, payloads, stream_ids
from cdp.dataflows.models import Dataflow, Payload, Run
from cdp.profiles import accounts
from cdp.profiles.models import Account
from cdp.stream import body as body_module
from cdp.stream import views
from tests.cdp.dataflows.conftest import USERS, Feed

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def account(sites: Any, db: None) -> Account:
    return accounts.create(123456, name="Shop")


@pytest.fixture
def feed(account: Account) -> Feed:
    return Feed(account)


def test_it_takes_a_draft_as_the_sample(feed: Feed) -> None:
    answer = feed.post(USERS, draft=True)
    assert answer.status_code == 202
    document = answer.json()
    assert uuid.UUID(document.pop("run"))
    assert document == {
        "stream_id": feed.stream_id,
        "draft": True,
        "received": 2,
        "state": "sample",
        "duplicate": False,
    }
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


def test_it_holds_what_is_sent_for_good_until_the_dataflow_is_on(feed: Feed) -> None:
    assert feed.post(USERS).json()["state"] == "held"
    assert feed.post(USERS, **{"x-isdraft": "0"}).json()["state"] == "held"


def test_it_keeps_one_sample_the_newest(feed: Feed) -> None:
    number = uuid.uuid4()
    feed.post(USERS, draft=True)
    feed.post(USERS[:1], draft=True, run=number)
    feed.post(USERS[1:], draft=True, run=number, sequence=1, final=True)
    sample = Run.objects.get(kind="sample")
    assert (sample.number, sample.received, sample.payloads.count()) == (number, 2, 2)


def test_it_stores_bodies_so_that_nobody_reads_them(feed: Feed) -> None:
    feed.post(USERS)
    payload = Payload.objects.get()
    assert "ada@example.org" not in payload.sealed
    assert orjson.loads(payloads.unseal(payload.sealed)) == USERS
    assert feed.stream_id not in str(Dataflow.objects.values().get())


def test_it_takes_the_same_chunk_twice_as_one(feed: Feed) -> None:
    number = uuid.uuid4()
    first = feed.post(USERS, run=number)
    again = feed.post(USERS, run=number)
    assert (first.json()["duplicate"], again.json()["duplicate"]) == (False, True)
    assert Payload.objects.count() == 1
    other = feed.post(USERS[:1], run=number)
    assert (other.status_code, other.json()["error"]) == (409, "conflict")


def test_it_takes_nothing_more_for_a_run_that_is_over(feed: Feed) -> None:
    number = uuid.uuid4()
    feed.post(USERS, run=number, final=True)
    assert feed.post(USERS, run=number, final=True).json()["duplicate"]
    assert feed.post(USERS, run=number, sequence=1).status_code == 409


@pytest.mark.parametrize(
    ("body", "content_type", "rows"),
    [
        (b'{"id": 1}\n{"id": 2}\n', "application/x-ndjson", 2),
        (b"id,name\n1,a\n\n2,b\n", "text/csv", 2),
        (b"1\ta\n2\tb\n", "text/tab-separated-values", 2),
        ("id;stadt\n1;K\u00f6ln\n2;Bonn\n".encode("windows-1252"), "text/csv", 2),
        (b"[]", JSON, 0),
    ],
)
def test_it_takes_several_formats(feed: Feed, body: bytes, content_type: str, rows: int) -> None:
    answer = feed.post(body, content_type=content_type)
    assert (answer.status_code, answer.json()["received"]) == (202, rows)


def test_it_takes_compressed_bodies_and_measures_them_inflated(feed: Feed) -> None:
    packed = {"content-encoding": "gzip"}
    assert feed.post(gzip.compress(orjson.dumps(USERS)), **packed).status_code == 202
    bomb = gzip.compress(b"[" + b" " * (20 * body_module.MOST_BYTES) + b"]")
    assert len(bomb) < body_module.MOST_BYTES
    assert feed.post(bomb, **packed).status_code == 413
    parts = [gzip.compress(one) for one in (b'[{"id": 1},', b'{"id": 2}', b"]")]
    assert feed.post(b"".join(parts) + b"\0\0", **packed).json()["received"] == 2
    assert feed.post(gzip.compress(b"[]") + bomb, **packed).status_code == 413
    for wrong in (gzip.compress(b"[]") + b"rest", gzip.compress(b"[]") + gzip.compress(b" ")[:-4]):
        assert feed.post(wrong, **packed).status_code == 400
    assert feed.post(gzip.compress(b"") * 30_000, **packed).status_code == 400
    assert feed.post(b"no gzip", **packed).status_code == 400
    assert feed.post(gzip.compress(b"[]")[:-4], **packed).status_code == 400
    assert feed.post(b"[]", **{"content-encoding": "br"}).status_code == 415


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "status", "code"),
    [
        (b"{", JSON, {}, 400, "bad_json"),
        (b"[" * 5_000, JSON, {}, 400, "bad_json"),
        (b'[{"x": ' + b"[" * 64 + b"]" * 64 + b"}]", JSON, {}, 400, "too_deep"),
        (b'{"id": 1}', JSON, {}, 400, "not_an_array"),
        (b'[{"id": 1}, 2]', JSON, {}, 400, "not_an_object"),
        (b'{"id": 1}\n2\n', "application/x-ndjson", {}, 400, "not_an_object"),
        (b'[{"id": NaN}]', JSON, {}, 400, "bad_json"),
        (b"\x81\xff,\x8d\n", "text/csv", {}, 400, "undecodable"),
        (b"[]", JSON, {"x-isdraft": "maybe"}, 400, "bad_header"),
        (b"[]", JSON, {"x-run-id": "7"}, 400, "bad_header"),
        (b"[]", JSON, {"x-run-id": str(uuid.uuid4()), "x-run-sequence": "-1"}, 400, "bad_header"),
        (b"[]", JSON, {"x-run-sequence": "1"}, 400, "bad_header"),
        (b"[]", JSON, {"x-run-final": "2"}, 400, "bad_header"),
        (b"[]", JSON, {"x-streamid": ""}, 401, "stream_id_missing"),
        (b"[]", JSON, {"x-streamid": str(uuid.uuid4())}, 404, "unknown_stream"),
        (b"[" + b" " * body_module.MOST_BYTES + b"]", JSON, {}, 413, "too_large"),
        (b"[" + b"{}," * 5_000 + b"{}]", JSON, {}, 413, "too_many_rows"),
        (b"<a/>", "application/xml", {}, 415, "unsupported_media_type"),
        (b"words", "application/octet-stream", {}, 415, "unsupported_media_type"),
    ],
)
def test_it_refuses_what_is_wrong_and_stores_nothing(
    feed: Feed, body: bytes, content_type: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = feed.post(body, content_type=content_type, **headers)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.json()["detail"].endswith((".", "}", "]"))
    assert not Payload.objects.exists()
    assert not Run.objects.exists()


def test_it_names_the_row_that_is_no_object(feed: Feed) -> None:
    assert feed.post(b'[{"id": 1}, 2]').json()["index"] == 1


@pytest.mark.case("D43")
def test_it_answers_alike_for_every_stream_that_is_not_there(feed: Feed) -> None:
    other = Feed(accounts.create(654321, name="Other"), name="Theirs")
    gone = Feed(feed.account, name="Gone")
    lifecycle.archive(gone.flow)
    answers = [
        feed.post([], account=other.account.number),
        feed.post([], account=999_999),
        feed.post([], **{"x-streamid": "nonsense"}),
        feed.post([], **{"x-streamid": other.stream_id}),
        gone.post([]),
    ]
    assert {one.status_code for one in answers} == {404}
    assert len({one.content for one in answers}) == 1


def test_it_knows_an_old_stream_id_no_more(feed: Feed) -> None:
    stream_ids.rotate(feed.flow)
    assert feed.post([]).status_code == 404
    feed.stream_id = stream_ids.stream_id(feed.flow)
    assert feed.post([]).status_code == 202


def test_it_only_takes_posts_and_needs_no_token(feed: Feed) -> None:
    answer = feed.client.get(f"/stream/{feed.account.number}")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    strict = type(feed.client)(enforce_csrf_checks=True)
    feed.client = strict
    assert feed.post([]).status_code == 202


def test_it_limits_runs_and_never_the_chunks_of_one(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_RUNS_A_MINUTE", 2)
    number = uuid.uuid4()
    assert feed.post(USERS).status_code == 202
    assert feed.post(USERS, run=number).status_code == 202
    refused = feed.post(USERS)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    for sequence in range(1, 5):
        assert feed.post(USERS, run=number, sequence=sequence).status_code == 202


def test_it_drops_the_oldest_of_what_is_held_when_there_is_too_much(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cdp.dataflows import delivery

    monkeypatch.setattr(delivery, "MOST_HELD_RUNS", 2)
    numbers = [feed.post(USERS).json()["run"] for _ in range(3)]
    states = dict(Run.objects.values_list("number", "state"))
    assert [states[uuid.UUID(one)] for one in numbers] == ["cancelled", "held", "held"]
