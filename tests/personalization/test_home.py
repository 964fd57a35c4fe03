"""The home page of the back office says how things stand, to those who may see it."""

from __future__ import annotations

import re
import time

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from config.customers.directory import create_customer
from personalization.client.models import ExportRun
from personalization.server.models import ImportRun
from tracking.models import Event, RefusedRequest

pytestmark = pytest.mark.django_db(databases="__all__")

EVENTS, IMPORTS, EXPORTS, INSTALLATION = (
    "/admin/tracking/debugger/",
    "/admin/personalization/imports/",
    "/admin/personalization/exports/",
    "/admin/installation/",
)


def lines(client: Client) -> dict[str, str]:
    """The address of each line of the panel, and what it says."""
    page = client.get("/admin/").content.decode()
    panel = re.search(r'<ul class="lodestar-home">(.*?)</ul>', page, re.DOTALL)
    return dict(re.findall(r'<a href="([^"]+)">([^<]+)</a>', panel[1])) if panel else {}


def logged_in(*permissions: str, superuser: bool = False) -> Client:
    user = User.objects.create_user("ed", is_superuser=superuser)
    names = ["access_admin", *permissions]
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def test_it_says_what_came_in_and_how_the_last_runs_ended() -> None:
    create_customer(name="Shop", kind="commerce", customer_id="501")
    now = time.time_ns() // 1000
    for received in (now, now, now - 2 * 3600 * 1_000_000):
        Event.objects.create(customer_id="501", event="click", ts=now, received=received)
    RefusedRequest.objects.create(customer_id="501", status=404, received=now)
    ImportRun.objects.create(
        customer_id="501", action="FULL", item_type=38, type_name="Place", status="failed"
    )
    ExportRun.objects.create(customer_id="501", site_name="site_en", folder="f", phase="done")

    said = lines(logged_in(superuser=True))

    assert said[EVENTS] == "2 events in the last hour"
    assert said[f"{EVENTS}?outcome=refused"] == "1 refused request in the last hour"
    assert said[IMPORTS].startswith("Last import: Place, failed, 0")
    assert said[EXPORTS].startswith("Last export: site_en, done, 0")
    assert "installation" in said[INSTALLATION]


def test_it_says_so_when_nothing_happened_yet() -> None:
    said = lines(logged_in(superuser=True))
    assert said[EVENTS] == "0 events in the last hour"
    assert (said[IMPORTS], said[EXPORTS]) == ("Nothing was imported yet", "Nothing was exported yet")


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        ([], set()),
        (["view_event"], {EVENTS, f"{EVENTS}?outcome=refused"}),
        (["view_importrun"], {IMPORTS}),
        (["view_exportrun"], {EXPORTS}),
    ],
)
def test_it_leads_only_where_one_may_go(permissions: list[str], shown: set[str]) -> None:
    client = logged_in(*permissions)
    said = lines(client)
    assert set(said) == shown
    for url in said:
        assert client.get(url).status_code == 200
    assert client.get(INSTALLATION).status_code in (302, 403)


def test_it_shows_superusers_the_findings_of_the_doctor() -> None:
    page = logged_in(superuser=True).get(INSTALLATION).content.decode()
    assert "no migrations are missing" in page
    assert "Start `python manage.py serve`" in page  # no worker runs here
    assert page.index("Start `python") < page.index("no migrations are missing")
