"""Faults of the reference's requests for recommendations that are not repeated (reference section 10.4)."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory

from config.jobs import outbox
from content.signals import ItemRef, item_changed
from personalization import contracts
from personalization.client import recommend, rendering
from personalization.client.hooks import Draft
from personalization.client.recommend import query_of
from tests.personalization.client.conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]
MakeItems = Callable[..., None]


@pytest.fixture
def page(db: None, rf: RequestFactory) -> HttpRequest:
    """The request of an anonymous visitor for a page of the English site."""
    request = rf.get("/", headers={"Host": apps.get_model("wagtailcore", "Site").objects.get().hostname})
    request.user, request.session = AnonymousUser(), SessionStore()
    request.LANGUAGE_CODE = "en"
    return request


def answer_of(engine: Engine, *ids: int) -> bytes:
    """An engine's answer with these places."""

    def entry(number: int) -> dict[str, object]:
        links = {
            name: f"{engine.url}/api/501/{name.lower()}/u/38/{number}"
            for name in ("rendered", "clickRecommended")
        }
        attributes = [
            {"key": "title", "values": [f"Place {number}"]},
            {"key": "uri", "values": [f"/{number}/"]},
        ]
        return {"itemId": number, "itemType": 38, "links": links, "attributes": attributes}

    return json.dumps({"recommendationItems": [entry(number) for number in ids]}).encode()


def draft(**given: object) -> Draft:
    values: dict[str, object] = {
        "request": None,
        "site": None,
        "scenario": "a",
        "language": "eng-GB",
        "limit": 3,
    }
    return Draft(**values | given)  # type: ignore[arg-type]


def test_w29_a_zero_is_a_value_and_swallows_no_ampersand() -> None:
    """Cases 9-105 and 9-107."""
    # Brings it back: personalization/client/recommend.py:
    # `if (text := filter_text(value))]` -> `if value and (text := filter_text(value))]`
    filters = {"color": ["red", "blue"], "size": "L", "price": 0, "a&b": "c=d", "none": None, "empty": []}
    pairs = query_of(draft(context=[0], context_type=38, filters=filters))
    assert pairs == [
        ("numrecs", "3"),
        ("contextitems", "0"),
        ("contenttype", "38"),
        ("lang", "eng-GB"),
        ("color", "red,blue"),
        ("size", "L"),
        ("price", "0"),
        ("a&b", "c=d"),
    ]


def test_w30_booleans_are_sent_where_they_are_given() -> None:
    # Brings it back: personalization/client/recommend.py:
    # `return "true" if value else "false"` -> `return ""`
    switches = query_of(
        draft(
            cross_content_type=True,
            output_type_id=38,
            use_context_category_path=False,
            recommend_category=True,
        )
    )
    assert switches[2:] == [
        ("usecontextcategorypath", "false"),
        ("recommendCategory", "true"),
        ("crosscontenttype", "true"),
    ]
    assert query_of(draft()) == [("numrecs", "3"), ("lang", "eng-GB")]


def test_w52_ids_are_encoded_into_paths() -> None:
    # Brings it back: personalization/contracts.py: `return quote(text, safe="")` -> `return text`
    path = contracts.recommendation_path(501, "a/b?c d#é", "x/y")
    assert path == "/api/v2/501/a%2Fb%3Fc%20d%23%C3%A9/x%2Fy.json"


def test_w32_no_page_waits_for_a_delivery_ping(
    page: HttpRequest, engine: Engine, make_items: MakeItems
) -> None:
    # Brings it back: personalization/client/recommend.py:
    # `found = recommendations_of(document, hosts=engine_hosts(draft.site))` ->
    # `found = recommendations_of(document, hosts=engine_hosts(draft.site)); gateway.recommend(draft.site,
    # visitor=who, scenario="rendered", query=())`
    engine.body = answer_of(engine, 1)
    html = rendering.show_recommendations(page, "front")
    assert [call.path.partition("?")[0].split("/")[-1] for call in engine.received] == ["front.json"]
    assert f'data-recommendation-rendered-api="{engine.url}/api/501/rendered/u/38/1"' in html


def test_w39_each_call_has_the_credentials_of_its_own_customer(
    page: HttpRequest, engine: Engine, site_id: int
) -> None:
    # Brings it back: personalization/client/gateway.py:
    # `basic=(str(customer_id), license_key) if license_key else None,` ->
    # `basic=globals().setdefault("_kept", (str(customer_id), license_key)),`
    plain = {"site_id": site_id, "item_type": "place", "item_type_id": 38, "remote_id": "r"}
    english = ItemRef(content_id=1, language="eng-GB", **plain)  # type: ignore[arg-type]
    french = ItemRef(content_id=1, language="fre-FR", **plain)  # type: ignore[arg-type]
    item_changed.send(sender=None, refs=[french, english])
    recommend.recommendations(page, "front")
    outbox.deliver_due()
    recommend.recommendations(page, "front")
    keys = {"501": "501:1111-aaaa", "502": "502:2222-bbbb"}
    assert len(engine.received) == 4
    for call in engine.received:
        customer = next(part for part in call.path.split("/") if part in keys)
        sent = b64decode(call.headers["Authorization"].removeprefix("Basic ")).decode()
        assert sent == keys[customer]


def test_w49_no_session_id_leaves_the_installation(page: HttpRequest, engine: Engine) -> None:
    # Brings it back: personalization/client/visitor.py:
    # `known = from_cookies(request) or str(uuid.uuid4())` ->
    # `known = from_cookies(request) or str(request.session.session_key)`
    page.session.create()
    recommend.recommendations(page, "front")
    [call] = engine.received
    visitor_id = call.path.split("/")[4]
    assert UUID(visitor_id).version == 4
    assert page.session.session_key not in call.path


def test_w56_the_tracker_comes_over_https_and_with_the_nonce(
    page: HttpRequest, sites_file: Callable[[str], None]
) -> None:
    # Brings it back: personalization/client/rendering.py: `else f"https://{site.script_url}"` ->
    # `else f"http://{site.script_url}"`
    tracking = "event_tracking: {{ script_url: cdn.engine.example/tracker.min.js, "
    sites_file(SITES.replace("event_tracking: {{ ", tracking))
    page.csp_nonce = "n0nce"  # type: ignore[attr-defined]
    html = rendering.track_user(page)
    assert 'src="https://cdn.engine.example/tracker.min.js"' in html
    assert html.count("<script") == html.count('nonce="n0nce"') == 2
