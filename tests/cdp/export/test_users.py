"""Users on their way to the platform: acceptance cases X01 to X15 of the reference."""

from __future__ import annotations

import json
import logging
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from cdp import export
from cdp.export import chunks as chunking
from cdp.export.models import StreamRun
from tests.cdp.export.conftest import OTHER, USERS, Receiver, WriteSites, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites", "processors")]


@pytest.fixture
def people() -> list[User]:
    return [
        User.objects.create(pk=10, username="anonymous"),
        User.objects.create(
            pk=14,
            username="admin",
            email="admin@example.org",
            first_name="Ada",
            last_name="Min",
            password="!hash",
        ),
        User.objects.create(pk=20, username="ben", email="ben@example.org"),
    ]


@pytest.mark.case("X01")
def test_x01_it_sends_a_draft(receiver: Receiver, people: list[User]) -> None:
    said = run("stream_user_data", "--draft")
    [request] = receiver.requests
    assert request.path == "/stream/123456"
    assert request.headers["x-streamid"] == USERS
    assert request.headers["x-isdraft"] == "true"
    assert request.headers["content-type"] == "application/json"
    assert (request.headers["x-run-sequence"], request.headers["x-run-final"]) == ("0", "true")
    assert request.rows[1] == {
        "id": 14,
        "login": "admin",
        "email": "admin@example.org",
        "name": "Ada Min",
        "companies": [],
    }
    assert said.code == 0
    assert "as a draft" in said.out[0]
    assert said.out[1] == f"Stream ID: {USERS}"
    assert said.out[-1] == "Sent 3 rows in 1 chunk(s), 0 skipped"


def test_x02_it_sends_all_data_for_production(receiver: Receiver, people: list[User]) -> None:
    said = run("stream_user_data", "--no-draft")
    assert "x-isdraft" not in receiver.requests[0].headers
    assert said.out[0] == "Sending users of site site_en as production data."


@pytest.mark.case("X03")
def test_x03_it_takes_a_call_without_a_flag_for_a_draft_and_says_so(receiver: Receiver) -> None:
    said = run("stream_user_data")
    assert receiver.requests[0].headers["x-isdraft"] == "true"
    assert "neither --draft nor --no-draft was given" in said.out[0]


def test_x04_it_refuses_both_flags(receiver: Receiver) -> None:
    said = run("stream_user_data", "--draft", "--no-draft")
    assert (said.code, receiver.requests) == (2, [])
    assert "exclude each other" in said.err


@pytest.mark.case("X05")
def test_x05_it_lets_an_option_name_the_stream(receiver: Receiver) -> None:
    assert run("stream_user_data", f"--stream-id={OTHER}").out[1] == f"Stream ID: {OTHER}"
    assert receiver.requests[0].headers["x-streamid"] == OTHER


@pytest.mark.case("X09")
def test_x09_it_leaves_nobody_out_unless_asked(receiver: Receiver, people: list[User]) -> None:
    run("stream_user_data", "--no-draft")
    run("stream_user_data", "--no-draft", "--exclude-anonymous")
    everybody, named = ([row["id"] for row in request.rows] for request in receiver.requests)
    assert everybody == [10, 14, 20]
    assert named == [14, 20]


@pytest.mark.case("X11")
def test_x11_it_sends_companies_as_an_array(receiver: Receiver, people: list[User]) -> None:
    @export.user_item_processor()
    def companies(row: dict[str, Any], user: User) -> dict[str, Any]:
        return row | ({"companies": ["Acme", "Globex"]} if user.pk == 14 else {})

    run("stream_user_data")
    assert [row["companies"] for row in receiver.rows] == [[], ["Acme", "Globex"], []]


@pytest.mark.case("X13")
def test_x13_it_repeats_a_chunk_that_was_not_taken(receiver: Receiver) -> None:
    User.objects.bulk_create([User(username=f"u{n}") for n in range(5)])
    receiver.answers = [(202, {}), (503, {}), (503, {})]
    said = run("stream_user_data", "--no-draft", "--chunk-size=2")
    assert said.code == 0
    assert receiver.sequences == ["0", "1", "1", "1", "2"]
    assert len({one.headers["x-run-id"] for one in receiver.requests}) == 1
    assert [one.headers.get("x-run-final") for one in receiver.requests] == [None] * 4 + ["true"]
    assert sorted(row["login"] for row in receiver.rows) == [f"u{n}" for n in range(5)]
    assert "the receiver answered 503; trying again in 1 s" in said.err
    assert "trying again in 2 s" in said.err


@pytest.mark.case("X15")
def test_x15_it_runs_all_processors_the_higher_priority_first(receiver: Receiver, people: list[User]) -> None:
    @export.user_item_processor(priority=0)
    def later(row: dict[str, Any], _user: User) -> dict[str, Any]:
        return row | {"a": row["a"] + 1}

    @export.user_item_processor(priority=10)
    def first(row: dict[str, Any], _user: User) -> dict[str, Any]:
        return row | {"a": 1}

    run("stream_user_data")
    assert {row["a"] for row in receiver.rows} == {2}


def test_it_sends_an_empty_array_where_nobody_is(receiver: Receiver) -> None:
    said = run("stream_user_data", "--no-draft")
    [request] = receiver.requests
    assert request.rows == []
    assert request.headers["x-run-final"] == "true"
    assert said.out[-1] == "Sent 0 rows in 1 chunk(s), 0 skipped"


def test_it_waits_as_long_as_a_busy_receiver_asks(receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "1"})] * 2
    said = run("stream_user_data")
    assert (said.code, said.err.count("trying again in 1 s")) == (0, 2)


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (400, "because [stream id]."),
        (401, "Is the stream id complete?"),
        (404, "Does the account exist"),
        (409, "The data have changed"),
        (413, "A smaller --chunk-size"),
        (301, "Redirects are not followed"),
    ],
)
def test_it_does_not_repeat_what_was_refused(receiver: Receiver, status: int, hint: str) -> None:
    receiver.answers = [(status, {})]
    said = run("stream_user_data", "--draft")
    assert (said.code, len(receiver.requests)) == (1, 1)
    assert f"refused with {status}" in said.err
    assert hint in said.err
    assert USERS not in said.err


def test_it_goes_on_where_a_run_broke_off(receiver: Receiver) -> None:
    User.objects.bulk_create([User(username=f"u{n}") for n in range(7)])
    number = str(uuid4())
    receiver.answers = [(202, {}), (202, {}), (403, {})]
    said = run("stream_user_data", "--no-draft", "--chunk-size=2", f"--run-id={number}")
    assert said.code == 1
    assert f"--run-id {number}` goes on where it stopped" in said.err
    row = StreamRun.objects.get()
    assert (row.state, row.chunks, row.rows) == ("failed", 2, 4)
    assert USERS not in row.error

    said = run("stream_user_data", "--no-draft", "--chunk-size=2", f"--run-id={number}")
    assert said.out[-1] == "Sent 7 rows in 4 chunk(s), 0 skipped"
    assert receiver.sequences == ["0", "1", "2", "2", "3"]
    assert [row["login"] for row in receiver.rows] == [f"u{n}" for n in range(7)]

    said = run("stream_user_data", "--no-draft", f"--run-id={number}")
    assert "was complete on" in said.out[2]
    assert len(receiver.requests) == 5
    said = run("stream_user_data", "--draft", f"--run-id={number}")
    assert said.code == 2
    assert "was begun with another is draft" in said.err


def test_it_is_done_when_the_receiver_has_the_last_chunk(receiver: Receiver, people: list[User]) -> None:
    number = str(uuid4())
    run("stream_user_data", "--no-draft", f"--run-id={number}")
    assert StreamRun.objects.get().is_final
    StreamRun.objects.update(state="running", finished_at=None)  # as a run leaves it that was killed
    said = run("stream_user_data", "--no-draft", f"--run-id={number}")
    assert "was complete on" in said.out[2]
    assert (len(receiver.requests), StreamRun.objects.get().state) == (1, "done")


def test_it_sends_a_sample_of_the_asked_size(receiver: Receiver) -> None:
    User.objects.bulk_create([User(username=f"u{n}") for n in range(1005)])
    run("stream_user_data", "--draft")
    run("stream_user_data", "--draft", "--draft-limit=3")
    run("stream_user_data", "--draft", "--limit=2")
    run("stream_user_data", "--no-draft", "--limit=4")
    assert [len(one.rows) for one in receiver.requests] == [500, 500, 3, 2, 4]


def test_it_keeps_chunks_below_a_mebibyte(receiver: Receiver) -> None:
    User.objects.bulk_create([User(username=f"u{n}") for n in range(6)])

    @export.user_item_processor()
    def long(row: dict[str, Any], _user: User) -> dict[str, Any]:
        return row | {"text": "x" * 400_000}

    run("stream_user_data", "--no-draft")
    assert [len(one.rows) for one in receiver.requests] == [2, 2, 2]
    assert max(one.size for one in receiver.requests) <= chunking.MOST_BYTES


def test_it_compresses_for_a_receiver_that_takes_it(receiver: Receiver) -> None:
    receiver.takes_gzip = True
    User.objects.bulk_create([User(username=f"u{n}", email="e" * 100) for n in range(60)])
    run("stream_user_data", "--no-draft", "--chunk-size=20")
    assert [one.headers.get("content-encoding") for one in receiver.requests] == [None, "gzip", "gzip"]
    assert receiver.requests[1].size < receiver.requests[0].size / 3
    assert len(receiver.rows) == 60


def test_it_sends_nothing_in_a_dry_run_and_prints_the_rows(
    receiver: Receiver, people: list[User], caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    said = run("stream_user_data", "--dry-run", "--no-draft", "-v", "2")
    assert receiver.requests == []
    assert [json.loads(line)["login"] for line in said.out[2:-1]] == ["anonymous", "admin", "ben"]
    assert said.out[-1] == "Would send 3 rows in 1 chunk(s), 0 skipped"
    assert StreamRun.objects.count() == 0
    assert "ben@example.org" not in caplog.text


@pytest.mark.case("T17")
def test_it_keeps_secrets_and_people_out_of_logs(receiver: Receiver, people: list[User], caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    run("stream_user_data", "--no-draft", "-v", "2")
    assert "Stream run" in caplog.text
    assert [word for word in (USERS, "ben", "!hash") if word in caplog.text] == []
    assert "!hash" not in json.dumps(receiver.rows)


def test_it_skips_rows_that_cannot_be_built(receiver: Receiver, people: list[User]) -> None:
    @export.user_item_processor()
    def picky(row: dict[str, Any], user: User) -> Any:
        if user.pk == 10:
            raise KeyError("country")
        return None if user.pk == 14 else row

    said = run("stream_user_data", "--no-draft")
    assert said.code == 0
    assert said.out[-1] == "Sent 1 rows in 1 chunk(s), 2 skipped"
    assert "Row 10 is skipped: picky raised KeyError: 'country'." in said.err
    assert "Row 14 is skipped: picky returned a NoneType, not a row." in said.err
    said = run("stream_user_data", "--no-draft", "--strict")
    assert said.code == 1
    assert "because --strict is set. Row 10: picky raised KeyError" in said.err
    assert StreamRun.objects.get(state="failed").error == "RowError"


def test_it_never_sends_a_password(receiver: Receiver, people: list[User]) -> None:
    @export.user_item_processor()
    def careless(row: dict[str, Any], user: User) -> dict[str, Any]:
        return row | {"password": user.password}

    said = run("stream_user_data", "--no-draft")
    assert receiver.rows == []
    assert "added 'password', which never leaves the site" in said.err


def test_it_writes_values_as_the_platform_reads_them(receiver: Receiver) -> None:
    User.objects.create(username="ben")

    @export.user_item_processor()
    def values(row: dict[str, Any], _user: User) -> dict[str, Any]:
        return row | {
            "price": Decimal("12345678901234.1234567"),
            "whole": Decimal("5.00"),
            "share": 0.1 + 0.2,
            "nan": float("nan"),
            "born": date(2000, 2, 29),
            "seen": datetime(2026, 1, 31, 10),  # noqa: DTZ001 - of the installation's zone
            "nothing": None,
            "yes": True,
            "orders": [{"number": 1, "sum": Decimal("1.50")}],
        }

    said = run("stream_user_data", "--dry-run", "-v", "2")
    text = said.out[2]
    assert '"price":12345678901234.123457' in text
    assert '"whole":5,' in text
    assert '"share":0.3,' in text
    assert (
        '"nan":null,"born":"2000-02-29","seen":"2026-01-31T10:00:00+00:00","nothing":null,"yes":true' in text
    )
    assert '"orders":[{"number":1,"sum":1.5}]' in text


def test_it_narrows_the_users_and_has_types_of_its_own(receiver: Receiver, people: list[User]) -> None:
    @export.user_queryset
    def active(queryset: Any, site: Any) -> Any:
        assert site.name == "site_en"
        return queryset.exclude(username="ben")

    run("stream_user_data", "--user-content-type=user")
    assert [row["id"] for row in receiver.rows] == [10, 14]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--stream-id=abc"], 2, "--stream-id must be a stream id"),
        (["--user-content-type=usr"], 1, "there is no type of users 'usr'. Did you mean 'user'?"),
        (
            ["--site=site_e"],
            2,
            "no site 'site_e' with a part cdp is in the sites file. Did you mean 'site_en'?",
        ),
        (["--chunk-size=0"], 2, "--chunk-size must be a whole number from 1 to 5000; got '0'."),
        (["--chunk-size=many"], 2, "got 'many'"),
        (["--limit=-1"], 2, "--limit must be a whole number"),
        (["--draft-limit=0"], 2, "--draft-limit must be"),
        (["--no-draft", "--draft-limit=5"], 2, "--draft-limit is for drafts"),
        (["--run-id=5"], 2, "--run-id must be a UUID; got '5'."),
        (["--sincerely"], 1, "unrecognized arguments: --sincerely"),
    ],
)
def test_it_says_which_option_is_wrong(receiver: Receiver, options: list[str], code: int, said: str) -> None:
    found = run("stream_user_data", *options)
    # Django gives what argparse refuses the code 2 on a command line only.
    assert (found.code, receiver.requests) == (code, [])
    assert said in found.err


def test_it_asks_which_of_several_sites(sites: WriteSites) -> None:
    sites("site_en: {}\n    site_fr: {}")
    said = run("stream_user_data")
    assert said.code == 2
    assert "say --site with one of: site_en, site_fr" in said.err


def test_it_says_what_the_sites_file_lacks(sites: WriteSites, settings: Any, tmp_path: Any) -> None:
    sites("site_en: {cdp: {account_number: null}}")
    assert "has no cdp.account_number" in run("stream_user_data").err
    sites("site_en: {cdp: {data_export: null}}")
    said = run("stream_user_data")
    assert said.code == 1
    assert "set cdp.data_export.user_data.stream_file.stream_id" in said.err


@pytest.mark.case("X21")
def test_x21_it_reads_each_scope(receiver: Receiver, sites: WriteSites) -> None:
    sites(
        "site_en: {}\n    shop_fr: {cdp: {data_export: {product_data: {stream_file: {stream_id: "
        + OTHER
        + "}}}}}"
    )
    run("stream_user_data", "--site=shop_fr")
    assert receiver.requests[0].headers["x-streamid"] == USERS
    assert (
        run("stream_product_data", "--site=shop_fr", "--product-type=product").out[1] == f"Stream ID: {OTHER}"
    )


def test_it_gives_up_on_a_receiver_that_is_away(sites: WriteSites, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdp.export.send.DELAYS", (0.01, 0.01))
    sites(base="http://127.0.0.1:9")
    said = run("stream_user_data")
    assert said.code == 1
    assert said.err.count("trying again") == 2
    assert "Nothing more is tried" in said.err
