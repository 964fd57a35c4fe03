"""Refused events: what is wrong, how often, and what to do about it."""

from __future__ import annotations

import re
import time

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.customers.directory import create_customer
from tests.tracking.test_debugger import refuse
from tracking import mistakes, refused
from tracking.debugger import Wanted
from tracking.models import RefusedRequest

pytestmark = pytest.mark.django_db(databases="__all__")
PAGE = "/admin/tracking/debugger/?outcome=refused"


@pytest.fixture(autouse=True)
def _customers() -> None:
    for customer_id in ("501", "502"):
        create_customer(name="Shop", kind="commerce", customer_id=customer_id)


def rows(message: str, count: int, *, hours_ago: float = 0, customer_id: str = "501") -> None:
    received = time.time_ns() // 1000 - int(hours_ago * refused.HOUR)
    same = {"event": "buy", "status": 400, "method": "GET", "target": "/api/[…]"}
    one = RefusedRequest(customer_id=customer_id, received=received, message=message, **same)
    RefusedRequest.objects.bulk_create([one] * count)


def test_it_says_what_is_wrong_how_often_and_what_to_do() -> None:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("boss"))
    comma = refuse("/api/501/buy/mabel/38/1?quantity=1&fullprice=1,5EUR").message
    assert comma.endswith('got "1,5EUR"')

    page = re.sub(r"\s+", " ", client.get(PAGE).content.decode())

    assert re.search("<title>[^<]*Refused events", page)
    assert '<th scope="row">fullprice with a comma</th>' in page
    assert '<td data-label="What to do">Use a point: 2.50EUR.</td>' in page
    assert '<p class="debugger__fix">Use a point: 2.50EUR.</p>' in page
    assert "mabel" not in page
    assert f'"url": "{PAGE}"' in page  # in the menu
    assert "debugger__mistakes" not in client.get("/admin/tracking/debugger/").content.decode()
    feed = client.get("/admin/tracking/debugger/feed/", {"outcome": "refused", "overview": "1"}).json()
    assert "fullprice with a comma" in feed["overview"]


def test_it_counts_equal_mistakes_of_a_customer_together() -> None:
    rows("the body must be at most 5 bytes long; got 7 bytes", 1)
    rows("the body must be at most 5 bytes long; got 8 bytes", 2, hours_ago=2)
    rows("quantity given twice", 4, customer_id="502")
    rows("quantity given twice", 8, hours_ago=25)

    found = [(one.customer_id, one.told.title, one.hour, one.day) for one in refused.groups(Wanted())]

    assert found == [("502", "quantity is given twice", 4, 4), ("501", "Too much at once", 1, 3)]
    assert [one.customer_id for one in refused.groups(Wanted(customer_id="501"))] == ["501"]
    assert refused.groups(Wanted(users=("a",))) == []


@pytest.mark.parametrize(
    ("target", "title", "fix"),
    [
        ("buy/a/38/1?quantity=1&fullprice=2.5 EUR", "fullprice with a space", "together"),
        ("buy/a/38/1?quantity=1&fullprice=2.5", "fullprice is no amount with a currency", "a point"),
        ("buy/a/38/1?quantity=1&price=2&currency=EURO", "currency is unknown", "such as EUR"),
        ("buy/a/38/1?quantity=-1&fullprice=2EUR", "quantity is no whole number", "in digits only"),
        ("buy/a/38/1?quantity=1&quantity=2", "quantity is given twice", "already"),
        ("click/a/38/x1", "itemid with letters", "alphanumeric"),
        ("click/a/38/0", "itemid is no whole number", "1 to 2147483647"),
        ("click/a/38/1?lang=x y", "lang is empty, too long", "1 to 16"),
        ("click/a/38/1?overridetimestamp=2012-01-01T11:00:00", "Event of the past", "import_events"),
        ("click/a/38", "click with too many or too few parts", "%2F"),
        ("click/a/38/%ff", "Wrongly encoded", "encodeURIComponent"),
        ("click/" + "a" * 1_025 + "/38/1", "userid is empty or too long", "1,024"),
        ("rate/a/38/1", "rate without rating", "Add the parameter rating"),
        ("clik/a/38/1", "Unknown event", "Call it click"),
        ("zzzzzz/a/38/1", "Unknown event", "the reason lists"),
        ("login/a/a", "Login of a user as the same user", "random id"),
    ],
)
def test_it_knows_a_remedy_for_what_senders_do_wrong(target: str, title: str, fix: str) -> None:
    refuse(f"/api/501/{target}")
    told = mistakes.told(RefusedRequest.objects.get().message)
    assert told.title.startswith(title)
    assert fix in told.fix


def test_it_knows_customers_that_there_are_not_and_lets_an_unknown_reason_stand() -> None:
    refuse("/api/99/click/a/38/1")
    assert mistakes.told(RefusedRequest.objects.get().message).title == "Unknown customer"
    assert mistakes.told("a sentence of later").title == "a sentence of later"
