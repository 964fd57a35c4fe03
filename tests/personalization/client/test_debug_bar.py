"""What a developer sees on the page: whom it is for, what the visitor did, and why each list is as it is."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import Client, RequestFactory

from personalization import debug_bar
from personalization.client import lazy, visitor
from personalization.server.models import Model
from tests.personalization.weaknesses.test_rendering import answer_of
from tracking.models import Event
from tracking.rotation import keys

from .conftest import Engine

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("sites_file")]
BAR = "/personalization/debug-bar/"


@pytest.fixture
def page(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.user, request.LANGUAGE_CODE = AnonymousUser(), "en"
    return request


def test_it_says_which_models_gave_a_list_and_how_long_it_took(
    page: HttpRequest, engine: Engine, settings: Any
) -> None:
    settings.LODESTAR_DEBUG_BAR = True
    key = Model.objects.create(customer_id="501", identifier="also_clicked", name="Also", kind="cooc").pk
    engine.body = answer_of(engine, 7)
    link = f"{engine.url}/clicked?scenario=detail&modelid={key}"
    shown = debug_bar.models_of([made(link), made(link.replace(str(key), "987654321"))])
    assert shown == ["also_clicked", "987654321"]

    html = lazy.show_recommendations(page, "detail", limit=2)

    assert "Place 7" in html
    assert "<summary>Why these? <code>detail</code></summary>" in html
    assert "<dt>Milliseconds</dt>" in html


def made(click_url: str) -> Any:
    from personalization.client.answers import Recommendation

    return Recommendation(item_id="1", item_type=38, click_url=click_url)


def test_it_says_why_there_is_no_list(page: HttpRequest, engine: Engine, settings: Any) -> None:
    settings.LODESTAR_DEBUG_BAR = True
    engine.body = b'{"recommendationItems": []}'
    assert "nothing fits this visitor and page yet" in lazy.show_recommendations(page, "detail")


def test_it_is_off_by_itself(page: HttpRequest, engine: Engine, client: Client) -> None:
    engine.body = b'{"recommendationItems": []}'
    assert lazy.show_recommendations(page, "detail") == ""
    assert debug_bar.place() == ""
    assert client.get(BAR).status_code == 404


def test_the_bar_tells_a_visitor_about_himself_alone(client: Client, settings: Any) -> None:
    settings.LODESTAR_DEBUG_BAR = True
    now = time.time_ns() // 1000
    for raw, item in (("visitor-of-this-browser", "4711"), ("somebody-else", "4712")):
        [name] = keys.living("501", raw)
        Event.objects.create(
            customer_id="501", event="click", user=name, item_type=38, item_id=item, ts=now, received=now
        )
    client.cookies[visitor.COOKIE] = "visitor-of-this-browser"

    answer = client.get(BAR)

    text = answer.content.decode()
    assert "click 38/4711" in text
    assert "4712" not in text
    assert keys.living("501", "visitor-of-this-browser")[0] in text
    assert "visitor-of-this-browser" not in text
    assert "no-store" in answer["Cache-Control"]


def test_the_bar_follows_nobody_who_refused(client: Client, settings: Any) -> None:
    settings.LODESTAR_DEBUG_BAR = True
    client.cookies[visitor.CONSENT] = "0"
    assert "nobody: this browser is not followed" in client.get(BAR).content.decode()
