"""What deliveries hold of a person who is to be erased ..."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.conf import settings

from cdp.dataflows import editing, payloads
from cdp.dataflows.configuration import Transformation
from cdp.dataflows.models import Payload, RowError, Run
from cdp.profiles import accounts, export, subject
from cdp.profiles.models import Account
from cdp.profiles.names import Named
from config.jobs import queue as jobs
from tests.cdp.dataflows.conftest import USERS, Feed
from tracking.people import erase

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
ADA = [Named("userid", "14"), Named("email", "ada@example.org")]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    monkeypatch.setattr(erase, "SETTLE_SECONDS", 0.0)


def everything() -> str:
    """What all chunks hold, in clear."""
    texts = [
        payloads.unseal(sealed).decode()
        for pair in Payload.objects.order_by("pk").values_list("sealed", "sealed_refused")
        for sealed in pair
        if sealed
    ]
    return "\n".join(texts)


def erased(account: Account, *names: Named) -> dict[str, int]:
    """The receipt."""
    ticket = subject.ask(account, names or ADA).ticket
    jobs.run_due(kinds=["cdp_erase"])
    ticket.refresh_from_db()
    assert ticket.finished_at is not None
    return dict(ticket.counts)


def shown(account: Account, *names: Named) -> list[Any]:
    found: list[Any] = export.document(subject.whom(account, names or ADA))["deliveries"]
    return found


def test_it_goes_from_a_sample_that_nobody_has_mapped(account: Account, feed: Feed) -> None:
    feed.post(USERS, draft=True)
    assert [one["row"] for one in shown(account)] == [USERS[0]]

    assert erased(account)["deliveries"] == 1
    assert "ada" not in everything()
    assert "bob@example.org" in everything()
    feed.refresh()
    assert editing.validate(feed.flow).received == 1


@pytest.mark.case("T13")
def test_it_goes_from_a_sample_and_from_what_is_held(account: Account, feed: Feed) -> None:
    feed.prepare()
    number = uuid.uuid4()
    feed.post(USERS, run=number)
    feed.post(
        [{"id": "15 ", "city": "Bodø"}, {"id": " 14", "city": "Moss"}], run=number, sequence=1, final=True
    )
    states = sorted((one["state"], one["row"]["city"]) for one in shown(account))
    assert states == [("held", "Moss"), ("held", "Oslo"), ("sample", "Oslo")]

    assert erased(account)["deliveries"] == 3
    assert not {"ada", "Moss"} & set(everything().replace('"', " ").split())
    assert shown(account) == []
    feed.activate()
    run = Run.objects.get(number=number)
    assert (run.state, run.received, run.inserted, run.updated, run.failed) == ("succeeded", 2, 1, 1, 0)
    assert feed.facts() == {"15": USERS[1] | {"city": "Bodø"}}


def test_it_goes_from_a_run_that_waits(account: Account, active: Feed) -> None:
    number = active.post(USERS).json()["run"]
    assert erased(account)["deliveries"] == 2  # of the sample too
    active.work()
    run = Run.objects.get(number=number)
    assert (run.state, run.received, run.inserted, run.failed) == ("succeeded", 1, 1, 0)
    assert list(active.facts()) == ["15"]


def test_it_goes_from_rows_that_were_refused(account: Account, feed: Feed) -> None:
    feed.prepare(mandatory=("city",))
    feed.activate()
    feed.deliver([{"id": 14, "city": None}, {"id": 15, "city": None}, *USERS])
    assert {one["row"]["id"] for one in shown(account)} == {14}

    assert erased(account)["deliveries"] == 2
    assert '"id":14' not in everything()
    assert '"id":15,"city":null' in everything()


def test_it_goes_from_refused_rows_that_nobody_can_read(account: Account, feed: Feed) -> None:
    sample = b"id,email\n14,ada@example.org\n15,bob@example.org\n"
    feed.post(sample, draft=True, content_type="text/csv")
    editing.validate(feed.flow)
    feed.map(feed.schema())
    feed.activate()
    feed.deliver(sample + b"14,ada@example.org,x\n15,bob@example.org,y\n", content_type="text/csv")
    assert "14,ada@example.org,x" in [one["row"] for one in shown(account)]
    erased(account)
    assert "ada@example.org,x" not in everything()
    assert "bob@example.org,y" in everything()


def test_it_does_not_come_back_with_the_next_delivery(account: Account, active: Feed) -> None:
    erased(account)
    run = active.deliver(USERS)
    assert (run.state, run.failed, list(active.facts())) == ("partial", 1, ["15"])
    assert [one.code for one in run.errors.all()] == ["suppressed"]
    assert "ada" not in everything()


def test_it_goes_by_the_column_that_names_people_and_not_by_others(account: Account, feed: Feed) -> None:
    rows = [{"id": 15, "age": 14, "friend": "Ada@example.org"}, {"id": 16, "age": 14, "friend": "x"}]
    feed.prepare(rows)
    feed.post(rows)
    assert erased(account, Named("userid", "14")).get("deliveries") == 0
    assert erased(account, ADA[1])["deliveries"] == 2  # an address is hers wherever it stands
    assert everything().count('"id":16') == 2


def test_it_goes_where_a_name_is_made_of_a_column(account: Account, feed: Feed) -> None:
    made = Transformation(function="prefix", inputs=("id",), output="id", params={"text": "u-"})
    feed.prepare([{"id": "14", "city": "Oslo"}, {"id": "15", "city": "Moss"}], transformations=(made,))
    feed.post([{"id": "14", "city": "Oslo"}, {"id": "15", "city": "Moss"}])
    assert erased(account, Named("userid", "u-14"))["deliveries"] == 2
    assert "Oslo" not in everything()
    assert everything().count("Moss") == 2


@pytest.mark.parametrize(
    ("content_type", "body", "left"),
    [
        ("text/csv", 'id;note\r\n14;"two\r\nlines"\r\n\r\n15;"a;b"\r\n', 'id;note\r\n\r\n15;"a;b"\r\n'),
        ("text/tab-separated-values", "id\tnote\n15\ta\n14\tb", "id\tnote\n15\ta\n"),
        ("application/x-ndjson", '{"id": 14}\n{"id": 15,  "x": 1}\n', '{"id": 15,  "x": 1}\n'),
        ("application/x-ndjson", '{"id": 15, "x": "\u2028"}\n{"id": 14}\n', '{"id": 15, "x": "\u2028"}\n'),
        ("application/json", '[{"a": [{"b": "14"}]}, {"id": 15}]', '[{"id":15}]'),
        (
            "application/octet-stream",
            '{"rows": [{"id": 14}, {"id": 15}], "n": 2}',
            '{"rows":[{"id":15}],"n":2}',
        ),
        ("application/octet-stream", "ada is 14\n15 is 140\n", "15 is 140\n"),
    ],
)
def test_it_leaves_the_rest_of_a_body_as_it_was(
    account: Account, feed: Feed, content_type: str, body: str, left: str
) -> None:
    assert feed.post(body.encode(), draft=True, content_type=content_type).status_code == 202
    assert erased(account, Named("userid", "14"))["deliveries"] == 1
    assert everything() == left


def test_it_goes_from_an_array_where_the_sample_had_lines(account: Account, feed: Feed) -> None:
    lines = b'{"id": 14, "city": "Oslo"}\n{"id": 15, "city": "Moss"}\n'
    assert feed.post(lines, draft=True, content_type="application/x-ndjson").status_code == 202
    feed.refresh()
    editing.validate(feed.flow)
    feed.post([{"id": 14, "city": "Oslo"}, {"id": 15, "city": "Moss"}])
    assert erased(account)["deliveries"] == 2
    assert everything() == '{"id": 15, "city": "Moss"}\n\n[{"id":15,"city":"Moss"}]'


def test_it_leaves_no_short_name_in_the_errors_of_a_run(account: Account, active: Feed) -> None:
    run = active.deliver([{"id": 14, "login": "ada", "email": "ada@example.org", "city": "Oslo"}, {"id": 15}])
    RowError.objects.create(run=run, index=0, column="id", code="identifier_blocked", value="14…")
    erased(account)
    assert [one.value for one in RowError.objects.all()] == [""]


def test_it_keeps_what_others_are_called_in_other_accounts(account: Account, active: Feed) -> None:
    other = Feed(accounts.create(654321, name="Other"))
    other.post(USERS, draft=True)
    erased(account)
    assert "ada@example.org" in everything()
