"""Messages to people who are not on the site: for whom, what they say, and that nothing is said twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from config.jobs import outbox
from config.jobs.models import Job, Outbox, State
from personalization.server import people
from personalization.server.models import Trigger, TriggerMessage, TriggerRecipient
from personalization.server.triggers import nightly
from tests.personalization.server.conftest import Account, new_account
from tests.personalization.server.made import did, happened, model, scenario, stored
from tracking.people import places
from tracking.people.spans import Span
from tracking.people.whom import own

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
HOUR = 1 / 24
USER = "Ünal+1"


@dataclass
class Shop:
    """Takes messages; ``status`` is what it answers."""

    url: str = ""
    status: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)
    authorization: list[str] = field(default_factory=list)


@pytest.fixture
def shop(settings: Any) -> Iterator[Shop]:
    state = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.messages.append(json.loads(body))
            state.authorization.append(self.headers.get("Authorization", ""))
            self.send_response(state.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/triggers"
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{server.server_port}"]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def triggers(*arguments: str, account: Account) -> str:
    out = StringIO()
    call_command("triggers", "--customer", account.customer_id, *arguments, stdout=out)
    return out.getvalue()


def add(account: Account, shop: Shop, kind: str, *more: str) -> None:
    """A trigger with a scenario that recommends items 1 to 6 by how often they were looked at."""
    stored(account.customer_id, {n: {"title": f"Item {n}", "price": f"{n}.00"} for n in range(1, 7)})
    for n in range(1, 7):
        happened(
            account.customer_id, [one for u in range(7 - n) for one in did("click", f"other{u}", n, days=9)]
        )
    model(account.customer_id, "popularity", signal="click")
    scenario(account.customer_id, "made")
    triggers(
        "--add", kind, "--kind", kind, "--endpoint", shop.url, "--scenario", "made", "--attributes", "title",
        *more, account=account,
    )  # fmt: skip
    people.replace(account.customer_id, source="crm", users={USER: [], "second": []})


def run(account: Account) -> int:
    """Evaluate and deliver; how many messages were written."""
    count = sum(nightly.evaluate(account.customer_id).values())
    outbox.deliver_due()
    return count


def test_it_writes_to_who_left_things_in_the_basket(account: Account, shop: Shop) -> None:
    add(account, shop, "abandoned-basket", "--items", "3")
    happened(account.customer_id, did("buy", USER, 2, days=5))
    happened(account.customer_id, did("basket", USER, 6, 3, days=5 * HOUR))
    happened(account.customer_id, did("deletefrombasket", USER, 3, days=4.5 * HOUR))
    happened(account.customer_id, did("basket", "stranger", 6, days=5 * HOUR))

    assert run(account) == 1

    [message] = shop.messages
    number = int(account.customer_id)
    assert list(message) == [
        "customerID",
        "userExternalId",
        "triggerType",
        "triggerName",
        "triggerOpenedLink",
        "recommendations",
    ]
    assert (message["customerID"], message["userExternalId"]) == (number, USER)
    assert (message["triggerType"], message["triggerName"]) == ("ABANDONED_SHOPPING_CART", "abandoned-basket")
    assert message["triggerOpenedLink"].endswith(
        f"/api/{number}/triggeropened/%C3%9Cnal%2B1?triggername=abandoned-basket"
    )
    # Without 2, which was bought, 3, which was taken out, and 6, which is what it is about.
    assert [one["itemId"] for one in message["recommendations"]] == [1, 4, 5]
    first = message["recommendations"][0]
    assert first["itemType"] == 38
    assert first["attributes"] == {"title": "Item 1"}
    assert (
        f"/api/{number}/clicktriggered/%C3%9Cnal%2B1/38/1?triggername=abandoned-basket"
        in first["clickRecommended"]
    )


def test_its_links_are_taken_by_the_intake(client: Any, account: Account, shop: Shop) -> None:
    add(account, shop, "abandoned-basket")
    happened(account.customer_id, did("basket", USER, 6, days=5 * HOUR))
    run(account)
    [message] = shop.messages
    for link in (message["triggerOpenedLink"], message["recommendations"][0]["clickRecommended"]):
        target = "/api/" + link.partition("/api/")[2]
        answer = client.get(target, RAW_URI=target, headers={"host": "localhost"})
        assert answer.status_code == 204, answer.content


def test_nothing_is_said_twice(account: Account, shop: Shop) -> None:
    add(account, shop, "abandoned-basket", "--repetitions", "2", "--frequency", "1")
    happened(account.customer_id, did("basket", USER, 6, days=5 * HOUR))
    assert run(account) == 1
    assert run(account) == 0

    def later(days: float) -> None:
        TriggerMessage.objects.update(written_at=timezone.now() - timedelta(days=days))

    later(1.5)
    assert run(account) == 1  # the second about this basket
    later(1.5)
    assert run(account) == 0
    happened(account.customer_id, did("basket", USER, 5, days=4 * HOUR))
    assert run(account) == 1  # another occasion
    assert len(shop.messages) == 3


CASES = {
    "abandoned-basket": [
        ("in time", [("basket", 6, 4 * HOUR)], True),
        ("too soon", [("basket", 6, 1 * HOUR)], False),
        ("bought after", [("basket", 6, 5 * HOUR), ("buy", 4, 4 * HOUR)], False),
        ("bought before", [("buy", 4, 6 * HOUR), ("basket", 6, 5 * HOUR)], True),
        ("taken out", [("basket", 6, 5 * HOUR), ("deletefrombasket", 6, 4 * HOUR)], False),
        ("long ago", [("basket", 6, 40)], False),
    ],
    "reactivation": [
        ("in time", [("buy", 6, 35)], True),
        ("was here", [("buy", 6, 35), ("click", 2, 3)], False),
        ("looked at it once more", [("buy", 6, 36), ("click", 6, 35)], True),
        ("never bought", [("click", 6, 35)], False),
        ("gone for long", [("buy", 6, 90)], False),
    ],
    "post-visit": [
        ("in time", [("click", 6, 1.2), ("click", 5, 1.21)], True),
        ("today", [("click", 6, 0.5)], False),
        ("bought", [("click", 6, 1.2), ("buy", 6, 1.19)], False),
        ("bought a month ago", [("buy", 2, 30), ("click", 6, 1.2)], True),
        ("long ago", [("click", 6, 9)], False),
    ],
}


@pytest.mark.parametrize(
    ("kind", "past", "times"),
    [
        pytest.param(kind, past, int(expected), id=f"{kind}: {name}")
        for kind, cases in CASES.items()
        for name, past, expected in cases
    ],
)
def test_it_writes_when_there_is_a_reason(
    account: Account, shop: Shop, kind: str, past: list[tuple[str, int, float]], times: int
) -> None:
    add(account, shop, kind)
    for event, item, days in past:
        happened(account.customer_id, did(event, USER, item, days=days))
    assert run(account) == times
    assert [one["userExternalId"] for one in shop.messages] == [USER] * times


def test_a_price_that_fell_below_the_wished_one(account: Account, shop: Shop) -> None:
    add(account, shop, "price-drop", "--items", "2", "--frequency", "0")
    wishes = {5: 6.0, 6: 6.0, 4: 3.0, 3: 9.0}
    for item, price in wishes.items():
        happened(account.customer_id, did("wishlist", USER, item, days=3, price=price, currency="EUR"))
    happened(account.customer_id, did("deletefromwishlist", USER, 3, days=2))

    assert run(account) == 1
    [message] = shop.messages
    assert message["triggerType"] == "PRICE_DROP"
    # 6 costs what it did, 4 more, 3 is not wished any more; then what the scenario recommends.
    assert [one["itemId"] for one in message["recommendations"]] == [5, 1]
    assert run(account) == 0
    stored(account.customer_id, {5: {"title": "Item 5", "price": "2.00"}})
    assert run(account) == 1


def test_it_knows_nobody_unless_there_is_a_trigger(account: Account, shop: Shop) -> None:
    people.replace(account.customer_id, source="crm", users={"early": []})
    assert not TriggerRecipient.objects.exists()
    add(account, shop, "abandoned-basket")
    assert TriggerRecipient.objects.count() == 2
    assert "2 users may be addressed" in triggers(account=account)
    # Sealed: the ids stand nowhere.
    happened(account.customer_id, did("basket", USER, 6, days=5 * HOUR))
    nightly.evaluate(account.customer_id)
    for alias in connections:
        with connections[alias].cursor() as cursor:
            for table in connections[alias].introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                assert not any(USER in str(value) for row in cursor.fetchall() for value in row), table

    triggers("--remove", "abandoned-basket", account=account)
    assert not TriggerRecipient.objects.exists()
    assert not TriggerMessage.objects.exists()


def test_who_is_erased_is_written_to_no_more(account: Account, shop: Shop) -> None:
    add(account, shop, "abandoned-basket")
    happened(account.customer_id, did("basket", USER, 6, days=5 * HOUR))
    assert run(account) == 1
    spans: list[Span] = own(account.customer_id, USER)
    [place] = [one for one in places.places() if one.name == "triggers"]
    assert [found["trigger"] for found in place.find(spans)] == ["abandoned-basket"]

    shop.status = 503  # the next one waits
    happened(account.customer_id, did("basket", USER, 5, days=4 * HOUR))
    TriggerMessage.objects.update(written_at=timezone.now() - timedelta(days=8))
    assert run(account) == 1
    assert Outbox.objects.filter(kind="trigger_message", state=State.QUEUED).count() == 1

    assert place.erase(spans, at=0) == 3
    assert not TriggerMessage.objects.exists()
    assert not Outbox.objects.filter(kind="trigger_message").exists()
    assert run(account) == 0


def test_who_is_told_of_again_is_sealed_anew(account: Account, shop: Shop) -> None:
    add(account, shop, "abandoned-basket")
    TriggerRecipient.objects.update(sealed="made with another SECRET_KEY")
    happened(account.customer_id, did("basket", USER, 6, days=5 * HOUR))
    assert run(account) == 0
    people.replace(account.customer_id, source="crm", users={USER: []})
    assert run(account) == 1


def test_a_night_is_done_once(account: Account, shop: Shop) -> None:
    add(account, shop, "abandoned-basket", "--frequency", "0", "--repetitions", "3")
    happened(account.customer_id, did("basket", USER, 6, days=5 * HOUR))
    Trigger.objects.update(evaluated_on=None)
    assert nightly.evaluate(account.customer_id, only_due=True) == {"abandoned-basket": 1}
    assert nightly.evaluate(account.customer_id, only_due=True) == {}


def test_customers_do_not_mix(account: Account, shop: Shop) -> None:
    other = new_account("Other")
    add(account, shop, "abandoned-basket")
    people.replace(other.customer_id, source="crm", users={"theirs": []})
    happened(other.customer_id, did("basket", USER, 6, days=5 * HOUR))
    assert run(account) == 0
    assert nightly.evaluate(other.customer_id) == {}


@pytest.mark.parametrize(
    ("status", "state"), [(503, State.QUEUED), (429, State.QUEUED), (400, State.FAILED), (401, State.FAILED)]
)
def test_an_endpoint_that_refuses(account: Account, shop: Shop, status: int, state: State) -> None:
    add(account, shop, "abandoned-basket")
    happened(account.customer_id, did("basket", USER, 6, days=5 * HOUR))
    shop.status = status
    run(account)
    message = Outbox.objects.get(kind="trigger_message")
    assert message.state == state
    assert f"answered {status}" in message.error
    assert USER not in message.error + json.dumps(message.payload)
    assert run(account) == 0  # it waits, and is not written again


@pytest.mark.parametrize(
    ("options", "header"),
    [(["--secret", "T"], "Bearer s3cret"), (["--secret", "T", "--login", "me"], "Basic bWU6czNjcmV0")],
)
def test_it_presents_itself(
    account: Account, shop: Shop, monkeypatch: pytest.MonkeyPatch, options: list[str], header: str
) -> None:
    monkeypatch.setenv("T", "s3cret")
    add(account, shop, "abandoned-basket", *options)
    happened(account.customer_id, did("basket", USER, 6, days=5 * HOUR))
    run(account)
    assert shop.authorization == [header]
    assert "s3cret" not in Trigger.objects.get().access


def test_its_turn_comes_at_night(account: Account, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    add(account, shop, "abandoned-basket")

    def queued() -> int:
        nightly.every_night()
        return Job.objects.filter(kind=nightly.JOB).delete()[0]

    noon = timezone.localtime().replace(hour=12)
    monkeypatch.setattr(timezone, "localtime", lambda: noon)
    assert queued() == 0  # made today
    Trigger.objects.update(evaluated_on=noon.date() - timedelta(days=1))
    assert queued() == 1
    monkeypatch.setattr(timezone, "localtime", lambda: noon.replace(hour=1))
    assert queued() == 0


COMPLETE = [
    "--add",
    "a",
    "--kind",
    "post-visit",
    "--endpoint",
    "https://shop.example/t",
    "--scenario",
    "popular",
]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--add", "a"], "--add also needs --kind and --endpoint and --scenario."),
        (["--add", "a b", *COMPLETE[2:]], "A name has 1 to 64 letters, digits, _ and -; got 'a b'."),
        ([*COMPLETE[:5], "ftp://x", *COMPLETE[6:]], "The endpoint must be an address such as"),
        ([*COMPLETE[:5], "https://me:pw@x/", *COMPLETE[6:]], "The endpoint must be an address such as"),
        ([*COMPLETE[:7], "populer"], "Did you mean 'popular'?"),
        ([*COMPLETE, "--items", "51"], "The number of items must be from 1 to 50; got 51."),
        ([*COMPLETE, "--delay", "-1"], "The delay in hours must be from 0 to 8760; got -1."),
        ([*COMPLETE, "--repetitions", "0"], "The number of repetitions must be from 1 to 10; got 0."),
        ([*COMPLETE, "--frequency", "366"], "The days between two messages must be from 0 to 365; got 366."),
        ([*COMPLETE, "--output-types", "38,x"], "--output-types takes numbers separated by commas; got 'x'."),
        ([*COMPLETE, "--secret", "NOT_SET"], "The environment variable NOT_SET is not set or empty."),
        ([*COMPLETE, "--login", "me"], "--login needs --secret, which names a variable."),
        (["--remove", "nothing"], "has no trigger 'nothing'."),
    ],
)
def test_it_says_what_is_wrong(account: Account, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError) as caught:
        triggers(*arguments, account=account)
    assert says in str(caught.value)
    assert caught.value.returncode == 2
    assert not Trigger.objects.exists()


def test_a_second_trigger_of_the_name_is_refused(account: Account) -> None:
    triggers(*COMPLETE, account=account)
    with pytest.raises(CommandError, match="has a trigger a already"):
        triggers(*COMPLETE, account=account)
    with pytest.raises(CommandError, match="There is no customer 'x'"):
        call_command("triggers", "--customer", "x")
