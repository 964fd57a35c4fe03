"""The tags `tracking_script` and `track_event` ..."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from cdp.tracking import checks, connector
from cdp.tracking.models import Message
from cdp.tracking.rendering import TrackingError
from config import site_access
from tests.cdp.tracking import pages
from tests.cdp.tracking.conftest import ACCOUNT, COID, SITES, waiting

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB]),
    pytest.mark.urls("tests.cdp.tracking.pages"),
]
HYBRID = "{enabled: true, tracking_type: hybrid}"


def connect(sites: Path, written: str, *, beside: str = "") -> None:
    sites.write_text(SITES.replace(HYBRID, written) + beside)
    site_access.reload()


def show(client: Client, template: str, *, engine: str = "django") -> str:
    load = "{% load cdp_tracking %}" if engine == "django" else ""
    pages.TEMPLATES[engine] = load + template
    answer = client.get(f"/page/{engine}/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def pushed(html: str) -> list[Any]:
    return [orjson.loads(one) for one in re.findall(r"\.push\((.*?)\);", html)]


@pytest.mark.parametrize(
    ("engine", "script", "event"),
    [
        ("django", "{% tracking_script %}", '{% track_event "visit" item category_identifier="c1" %}'),
        ("jinja2", "{{ tracking_script() }}", '{{ track_event("visit", item, category_identifier="c1") }}'),
        (
            "jinja2",
            "{{ ibexa_tracking_script() }}",
            '{{ ibexa_tracking_track_event("visit", item, {"categoryIdentifier": "c1"}) }}',
        ),
    ],
)
def test_it_writes_the_script_and_events(client: Client, engine: str, script: str, event: str) -> None:
    html = show(client, script + event, engine=engine)
    assert 'data-mode="hybrid"' in html
    assert f'data-account="{ACCOUNT}" data-customer="501"' in html
    assert "data-consented" not in html
    assert len(re.findall(r'nonce="[^"]+"', html)) == 2
    assert pushed(html) == [["trackEvent", "visit", {"p2": "7", "p4": "c1"}]]
    assert waiting() == []


def test_its_script_is_small() -> None:
    assert (settings.BASE_DIR / "static/lodestar/raptor.js").stat().st_size < 4096


def test_it_brings_the_tracker_in_client_mode(client: Client, sites: Path) -> None:
    connect(sites, "{enabled: true, customer_id: 123456}")
    html = show(client, "{% tracking_script has_consented=True %}")
    assert 'data-mode="client"' in html
    assert 'data-tracker="/static/lodestar/tracker.js"' in html
    assert 'data-consented="1"' in html


@pytest.mark.parametrize(("cookie", "consented"), [("1", True), ("0", False)])
def test_it_remembers_what_the_visitor_decided(client: Client, cookie: str, *, consented: bool) -> None:
    client.cookies["lodestar_consent"] = cookie
    said = "False" if consented else "True"
    assert ("data-consented" in show(client, f"{{% tracking_script has_consented={said} %}}")) is consented


def test_it_takes_events_on_the_server(client: Client, sites: Path) -> None:
    connect(sites, "{enabled: true, tracking_type: server}")
    user = User.objects.create_user("ada")
    client.force_login(user)
    client.cookies["lodestar_visitor"] = COID
    html = show(client, '{% tracking_script has_consented=True %}{% track_event "visit" item %}')
    assert "<script" not in html
    assert html.count("<!--") == 2
    [call] = waiting()
    assert (call.coid, call.ruid, call.params["p2"]) == (COID, str(user.pk), "7")


def test_it_takes_nothing_on_the_server_without_consent(client: Client, sites: Path) -> None:
    connect(sites, "{enabled: true, tracking_type: server}")
    pages.TEMPLATES["django"] = '{% load cdp_tracking %}{% tracking_script %}{% track_event "visit" item %}'
    answer = client.get("/page/django/")
    assert (dict(answer.cookies), Message.objects.exists()) == ({}, False)
    assert b"no consent" in answer.content


@pytest.mark.case("T05")
def test_it_reports_each_line_of_an_order(client: Client) -> None:
    template = (
        '{{ track_event("buy", [{"id": 7, "price": 2.5, "quantity": 2}, {"id": 8, "subtotal": "10.00"}, 9],'
        ' order_id="A-1", currency="EUR") }}'
    )
    html = show(client, template, engine="jinja2")
    assert [params["p2"] for _command, _event, params in pushed(html)] == ["7", "8", "9"]
    assert {params["p21"] for _command, _event, params in pushed(html)} == {"A-1"}
    assert pushed(html)[0][2]["p12"] == "2.5"


def test_it_ends_no_script_early(client: Client) -> None:
    html = show(client, '{{ track_event("search", {"query": "</script><b>&"}) }}', engine="jinja2")
    assert html.count("</script>") == 1
    assert pushed(html)[0][2] == {"query": "</script><b>&"}


@pytest.mark.parametrize("written", ["{enabled: false}", "{}", "{enabled: true, tracking_type: magic}"])
def test_it_is_silent_where_it_is_not_enabled(client: Client, sites: Path, written: str) -> None:
    connect(sites, written)
    assert show(client, '{% tracking_script %}{% track_event "visit" item %}') == ""


WRONG = [
    ('track_event("vist", 7)', "p1 must be a known event"),
    ('track_event("visit")', "p2 (product id) must be given for visit"),
    ('track_event("visit", "SKU-1")', "p2 must be"),
    ('track_event("visit", 7, price="2,50")', "p12 must be an amount"),
    ('track_event("visit", 7, quantity=[1])', '"quantity" must be a text or a number'),
    ('track_event("buy", [])', "at least one product"),
    ('track_event("visit", 2.5)', "an object of the type"),
]


@pytest.mark.parametrize(("call", "sentence"), WRONG)
def test_it_says_what_is_wrong(
    client: Client, sites: Path, call: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    connect(sites, HYBRID, beside="connector_raptor: {strict_exceptions: true}\n")
    with pytest.raises(TrackingError, match=re.escape(sentence)):
        show(client, f"{{{{ {call} }}}}", engine="jinja2")
    connect(sites, HYBRID, beside="connector_raptor: {strict_exceptions: false}\n")
    assert show(client, f"{{{{ {call} }}}}", engine="jinja2") == ""


@pytest.mark.parametrize(
    ("written", "beside", "sentence"),
    [
        ("{enabled: true, tracking_type: magic}", "", "connector_raptor.tracking_type of site 'site_en'"),
        ("{enabled: true, cookie_id_lifetime_days: 0}", "", "connector_raptor.cookie_id_lifetime_days"),
        ("{enable: true}", "", "connector_raptor.enable of site 'site_en'"),
        ("{}", "connector_raptor: {hybrid_tracking_proxy_path: /x}\n", "must be /raptor/track; got '/x'"),
        ("{}", "connector_raptor: {strict_exceptions: 7}\n", "must be true or false; got '7'"),
    ],
)
def test_doctor_names_what_is_wrong_with_the_sites_file(
    sites: Path, written: str, beside: str, sentence: str
) -> None:
    connect(sites, written, beside=beside)
    assert any(sentence in one.text for one in checks.connectors())


def test_doctor_misses_the_account_of_a_connector(sites: Path) -> None:
    sites.write_text(SITES.replace("cdp: {account_number: 123456}", "cdp: {}"))
    site_access.reload()
    assert "customer_id must be the number of an account" in connector.current().faults[0]
