"""A notification cannot make this installation call itself, but for what exports and items stand under."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from personalization.contracts import CONTENT_MEDIA_TYPE
from personalization.server.items import fetch


def fetched(url: str) -> object:
    """What somebody without credentials makes the engine ask for."""
    nobody = fetch.Presented()
    return fetch.document(url, customer_id="10101", presented=nobody, accept=CONTENT_MEDIA_TYPE)


@pytest.mark.parametrize(
    "path",
    [
        "/admin/login/",
        "/api/10101/click/u/38/5",
        "/api/ibexa/v2/personalization/v1/../../../../../admin/",
        "/api/ibexa/v2/personalization/v10/content/id/5",
        "",
    ],
)
def test_an_own_address_must_be_one_of_content(path: str, settings: Settings) -> None:
    with pytest.raises(fetch.FetchRefused, match="not one of its content REST"):
        fetched(f"{settings.WAGTAILADMIN_BASE_URL}{path}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/api/ibexa/v2/personalization/v1/content/id/5", "/api/ezp/v2/ez_recommendation/v1/content/id/5"],
)
def test_content_of_our_own_is_asked_for(path: str, settings: Settings) -> None:
    with pytest.raises(fetch.FetchRefused, match="answered 401"):
        fetched(f"{settings.WAGTAILADMIN_BASE_URL}{path}")


def test_an_own_address_follows_the_port_that_is_served(settings: Settings) -> None:
    settings.WAGTAILADMIN_BASE_URL = "http://localhost:8000"
    stored = fetch.portable("http://localhost:8000/api/ibexa/v2/personalization/v1/content/id/5?lang=eng-GB")
    settings.WAGTAILADMIN_BASE_URL = "http://localhost:8310"
    assert fetch.absolute(stored) == (
        "http://localhost:8310/api/ibexa/v2/personalization/v1/content/id/5?lang=eng-GB"
    )


@pytest.mark.parametrize(
    "url", ["https://site.example/a?b=c", "http://localhost:1/a", "http://localhost:8000"]
)
def test_other_addresses_stay_as_they_are(url: str, settings: Settings) -> None:
    settings.WAGTAILADMIN_BASE_URL = "http://localhost:8000"
    assert fetch.absolute(fetch.portable(url)) == url
