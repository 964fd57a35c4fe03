"""Cases of reference `client-protocol.md` 9.8 that concern pages.

Cases 9-105 and 9-107 are in tests/personalization/weaknesses/test_rendering.py.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory

from personalization.client import recommend, rendering
from personalization.client.answers import clean_text
from tests.personalization.client.conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]


@pytest.fixture
def page(db: None, rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.user = AnonymousUser()
    request.LANGUAGE_CODE = "en"
    return request


def test_a_type_that_is_not_included_is_not_tracked(
    page: HttpRequest, make_items: Callable[..., None]
) -> None:
    """Case 9-99: the tracker itself is there, for clicks on recommendations."""
    make_items(1)
    make_items(1, kind="product", start=9)
    assert "_trackEvent" in rendering.track_user(page, 1)
    assert "_track" not in rendering.track_user(page, 9).partition("<script src")[0]


def test_attributes_become_plain_text() -> None:
    """Case 9-109."""
    value = "<![CDATA[<section><p>Caf&eacute; &amp; bar</p></section>]]>"
    assert clean_text(value) == "Café & bar"


def test_without_items_random_ones_of_the_configured_types_stand_in(
    page: HttpRequest,
    engine: Engine,
    make_items: Callable[..., None],
    sites_file: Callable[[str], None],
) -> None:
    """Case 9-111."""
    make_items(9, kind="article")
    engine.body = b'{"recommendationItems": []}'
    assert len(recommend.recommendations(page, "front", limit=4)) == 4
    sites_file(SITES.replace("random_item_types: [article]", "random_item_types: []"))
    page.__dict__.pop("_lodestar_sites")
    assert recommend.recommendations(page, "front", limit=4) == []
    assert rendering.show_recommendations(page, "front") == ""
