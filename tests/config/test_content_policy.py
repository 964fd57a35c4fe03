"""The Content-Security-Policy follows the sites file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from config import site_access

SITES = """
personalization:
  system:
    one:
      authentication: { customer_id: 501, license_key: a-b }
      api:
        event_tracking: { endpoint: "https://events.example:8443/", script_url: "cdn.example/tracker.js" }
"""


@pytest.mark.django_db(databases="__all__")
def test_it_lets_pages_send_events_where_the_sites_file_says(tmp_path: Path, settings: Any) -> None:
    settings.LODESTAR_SITES_FILE = tmp_path / "sites.yaml"
    settings.LODESTAR_SITES_FILE.write_text(SITES)
    site_access.reload()
    policy = policy_of_a_page()
    settings.LODESTAR_SITES_FILE.write_text(SITES.replace("events.example", "other.example"))
    site_access.reload()
    later = policy_of_a_page()
    site_access.reload()
    assert policy["connect-src"] == "'self' https://events.example:8443"
    assert policy["img-src"].endswith("https://events.example:8443")
    assert policy["script-src"].endswith("https://cdn.example")
    assert later["connect-src"] == "'self' https://other.example:8443"


def policy_of_a_page(host: str = "localhost") -> dict[str, str]:
    answer = Client().get("/no-such-page/", headers={"host": host})
    parts = (part.strip() for part in answer["Content-Security-Policy"].split(";"))
    return dict(part.split(" ", 1) for part in parts if " " in part)


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_it_lets_pages_reach_the_collector_under_their_own_name(host: str, settings: Any) -> None:
    settings.EVENT_PORT = 9108
    site_access.reload()
    policy = policy_of_a_page(host=f"{host}:8000")
    site_access.reload()
    assert policy["connect-src"] == f"'self' http://{host}:9108"


@pytest.mark.django_db(databases="__all__")
def test_it_sends_no_page_under_https_to_the_plain_port_of_the_collector(settings: Any) -> None:
    settings.EVENT_PORT, settings.WAGTAILADMIN_BASE_URL = 9108, "https://www.example.org"
    settings.ALLOWED_HOSTS = ["www.example.org"]
    site_access.reload()
    policy = policy_of_a_page(host="www.example.org")
    endpoints = {site.event_endpoint for site in site_access.configured_sites()}
    site_access.reload()
    assert policy["connect-src"] == "'self'"
    assert endpoints == {"https://www.example.org"}
