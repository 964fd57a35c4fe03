"""The dashboard: the figures of the command, by range and customer, for whoever may see them."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from config import site_access
from personalization.server.models import CallCount
from personalization.server.statistics import calls
from tests.personalization.server import made
from tests.personalization.server.conftest import Account, new_account
from tests.personalization.server.made import did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

URL = "/admin/personalization/dashboard/"
MINUTE = 1 / 1440


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    calls.board.forget()
    made.forget()
    cache.clear()


def login(*codenames: str) -> Client:
    user = User.objects.create_user(f"user-{uuid.uuid4()}")
    user.user_permissions.set(Permission.objects.filter(codename__in=[*codenames, "access_admin"]))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


@pytest.fixture
def reader(db: None) -> Client:
    return login("view_callcount")


@pytest.fixture
def shop(db: None) -> Account:
    """Two clicks, a followed recommendation and what was bought by it, and four calls, two days ago."""
    account = new_account("Shop", kind="commerce")
    ago = 2 * 1440
    made.happened(
        account.customer_id,
        did("click", "ann", 1, days=(ago + 30) * MINUTE)
        + did("click", "ben", 1, days=(ago + 20) * MINUTE)
        + did("clickrecommended", "ann", 2, days=(ago + 10) * MINUTE, scenario="front", model_id="7")
        + did("buy", "ann", 2, days=ago * MINUTE, price="1250.50", currency="EUR", quantity=2),
    )
    hour = (timezone.now() - timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    CallCount.objects.create(
        customer_id=account.customer_id, scenario="front", hour=hour, calls=4, delivered=8
    )
    return account


def drawn(page: str) -> dict[str, Any]:
    found = re.findall(r'<script id="chart-data-(\w+)" type="application/json">(.*?)</script>', page)
    return {key: json.loads(text) for key, text in found}


def test_it_shows_the_figures_of_the_command(reader: Client, shop: Account) -> None:
    answer = reader.get(URL, {"customer": shop.customer_id, "range": "month"})
    told = StringIO()
    call_command("statistics", customer=shop.customer_id, range="month", json=True, stdout=told)
    command = json.loads(told.getvalue())

    page = answer.content.decode()
    charts = drawn(page)
    assert answer.status_code == 200
    assert list(charts) == ["revenue", "calls", "conversion", "events"]
    lines = {key: {one["name"]: one["values"] for one in chart["series"]} for key, chart in charts.items()}
    assert sum(lines["revenue"]["Revenue (EUR)"]) == float(command["revenue"]["total"]) == 2501.0
    assert sum(lines["revenue"]["Items purchased"]) == command["revenue"]["pieces"] == 2
    assert sum(lines["calls"]["front"]) == sum(lines["calls"]["Total"]) == command["total"]["calls"] == 4
    assert [one for one in lines["conversion"]["front"] if one is not None] == [
        100 * command["scenarios"]["front"]["conversion"]
    ]
    assert sum(lines["events"]["Clicked"]) == sum(command["events"]["click"]) == 2
    assert sum(lines["events"]["Purchased recommendations"]) == command["revenue"]["pieces_recommended"] == 2
    assert len(charts["events"]["moments"]) == 30
    assert "2,501.00" in page  # money by the reader's language, in the table and the details
    assert "25.0 %" in page
    assert "Popular items" in page
    assert "2 × 1,250.50 = 2,501.00 EUR" in page


def test_it_shows_the_tiles_with_their_change(reader: Client, shop: Account) -> None:
    hour = (timezone.now() - timedelta(days=40)).replace(minute=0, second=0, microsecond=0)
    CallCount.objects.create(customer_id=shop.customer_id, scenario="front", hour=hour, calls=5)
    tiles = reader.get(URL, {"customer": shop.customer_id}).context["tiles"]
    assert [(tile.value, tile.note) for tile in tiles] == [
        ("4", "−20.0 % compared with the previous 30 days"),
        ("25.0 %", "+25.0 percentage points compared with the previous 30 days"),
        ("0", "nothing imported yet"),
        ("4", "nothing in the previous 30 days"),
    ]


def test_it_divides_time_by_the_range_and_takes_days_of_the_site(
    reader: Client, shop: Account, settings: Any
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    timezone.get_default_timezone.cache_clear()
    day = timezone.localdate(timezone.now() - timedelta(days=2), timezone.get_default_timezone())
    found = {}
    for name in ("day", "week", "quarter", "year"):
        page = reader.get(URL, {"customer": shop.customer_id, "range": name}).content.decode()
        found[name] = len(drawn(page)["calls"]["moments"])
    own = {"customer": shop.customer_id, "from": f"{day - timedelta(days=1)}", "to": f"{day}"}
    events = drawn(reader.get(URL, own).content.decode())["events"]
    timezone.get_default_timezone.cache_clear()
    assert found == {"day": 24, "week": 14, "quarter": 13, "year": 53}
    # Midnight in Tokyo, twelve hours each.
    assert "midnight" in events["moments"][0]
    assert len(events["moments"]) == 4


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"from": "2026-01-31"}, "needs both its first and its last day"),
        ({"from": "2026-02-31", "to": "2026-03-01"}, "A day looks like 2026-01-31."),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "The range ends before it begins."),
        ({"from": "2999-02-02", "to": "2999-02-03"}, "The range begins in the future."),
        ({"from": "0002-01-01", "to": "2026-01-01"}, "The range is too long."),
        ({"range": "decade"}, "not one of the available choices"),
    ],
)
def test_it_says_what_is_wrong_with_a_range(
    query: dict[str, str], sentence: str, reader: Client, shop: Account
) -> None:
    given = query | {"customer": shop.customer_id}
    answer = reader.get(URL, given)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    for file in ("report.xlsx", "events.csv"):
        assert reader.get(URL + file, given).status_code == 400


def test_it_gives_the_figures_as_files(reader: Client, shop: Account) -> None:
    CallCount.objects.update(scenario="=cmd")
    given = {"customer": shop.customer_id, "range": "month"}

    book = load_workbook(BytesIO(reader.get(f"{URL}report.xlsx", given).content))
    answer = reader.get(f"{URL}calls.csv", given)

    assert "Purchases" in book.sheetnames
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{shop.customer_id}-')
    head, *rows = csv.reader(StringIO(answer.content.decode("utf-8-sig")))
    assert head == ["From", "'=cmd", "Total"]
    assert sum(int(row[-1]) for row in rows) == 4
    assert reader.get(f"{URL}nothing.csv", given).status_code == 404


def test_it_keeps_customers_apart_and_asks_for_a_permission(reader: Client, shop: Account) -> None:
    other = new_account("Other", kind="commerce")
    page = reader.get(URL, {"customer": other.customer_id, "range": "month"}).content.decode()
    assert "Nothing happened in this range." in page
    assert "2,501.00" not in page
    unknown = {"customer": "999999"}
    assert "This customer is unknown" in reader.get(URL, unknown).content.decode()
    assert reader.get(f"{URL}report.xlsx", unknown).status_code == 404

    stranger = login()
    assert stranger.get(URL).status_code in (302, 403)
    assert stranger.get(f"{URL}report.xlsx").status_code in (302, 403)
    assert URL not in stranger.get("/admin/").content.decode()
    assert URL in reader.get("/admin/").content.decode()


@pytest.fixture
def no_sites(settings: Any, tmp_path: Any) -> Iterator[None]:
    before, settings.LODESTAR_SITES_FILE = settings.LODESTAR_SITES_FILE, tmp_path / "sites.yaml"
    settings.LODESTAR_SITES_FILE.write_text("personalization: {}\n")
    site_access.reload()
    yield
    settings.LODESTAR_SITES_FILE = before
    site_access.reload()


@pytest.mark.usefixtures("no_sites")
def test_it_says_what_to_do_without_customers_and_events(reader: Client) -> None:
    assert "create_customer" in reader.get(URL).content.decode()
    new_account("New", kind="commerce")
    assert "/admin/tracking/snippet/" in login("view_callcount", "view_event").get(URL).content.decode()


def test_it_asks_the_database_little(
    reader: Client, shop: Account, django_assert_max_num_queries: Any
) -> None:
    given = {"customer": shop.customer_id, "range": "month"}
    reader.get(URL, given)
    with django_assert_max_num_queries(15):
        reader.get(URL, given)


def test_it_carries_the_library_that_it_says() -> None:
    folder = Path(configured.BASE_DIR) / "static/lodestar/vendor/echarts"
    content = (folder / "echarts.common.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() in (folder / "README.md").read_text()
    assert b"Apache License" in (folder / "LICENSE").read_bytes()[:200]
