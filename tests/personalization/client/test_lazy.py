"""Recommendations that the browser fetches."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from html import unescape

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template import engines
from django.test import Client, RequestFactory
from django.utils.translation import gettext_lazy

from personalization.client import lazy
from tests.personalization.weaknesses.test_rendering import answer_of

from .conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]
ADDRESS = re.compile(r'data-recommendations-src="([^"]+)"')


@pytest.fixture
def page(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.user, request.LANGUAGE_CODE = AnonymousUser(), "en"
    return request


def address_of(html: str) -> str:
    [found] = ADDRESS.findall(html)
    return unescape(found)


def test_it_asks_nothing_for_the_page_and_everything_for_the_fragment(
    page: HttpRequest, engine: Engine, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(1)
    html = lazy.show_recommendations(
        page, "detail", lazy=True, context=1, limit=2, title="More", attributes=("title", "uri")
    )
    assert not engine.received
    assert not hasattr(page, "_lodestar_visitor"), "the page sets no cookie for it"
    engine.body = answer_of(engine, 7)
    answer = client.get(address_of(html))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Place 7" in text
    assert "More</h2>" in text
    assert "data-recommendation-rendered-api" in text
    [call] = engine.received
    assert "/detail.json?numrecs=2&contextitems=1&contenttype=38" in call.path
    assert call.path.endswith("&lang=eng-GB&attribute=title&attribute=uri")
    assert "private" in answer["Cache-Control"]
    assert "no-store" in answer["Cache-Control"]
    assert "Cookie" in answer["Vary"]
    assert "lodestar_visitor" in answer.cookies


def test_the_same_block_has_the_same_address(page: HttpRequest) -> None:
    first, second = (lazy.show_recommendations(page, "front", lazy=True, limit=3) for _ in range(2))
    assert first == second, "so that a cache sees one page"


def test_it_speaks_the_language_of_the_page(page: HttpRequest, engine: Engine, client: Client) -> None:
    page.LANGUAGE_CODE = "fr"
    from django.utils import translation

    with translation.override("fr"):
        html = lazy.show_recommendations(page, "front", lazy=True)
    client.get(address_of(html), headers={"Accept-Language": "en"})
    [call] = engine.received
    assert call.path.startswith("/api/v2/502/")
    assert "lang=fre-FR" in call.path


def test_nothing_is_204(
    page: HttpRequest, engine: Engine, client: Client, sites_file: Callable[[str], None]
) -> None:
    html = lazy.show_recommendations(page, "front", lazy=True)
    engine.status = 500
    answer = client.get(address_of(html))
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    "options",
    ["", "x", "a:b", "9" * 5000, "eyJhIjoxfQ:nonsense", "é", None],
)
def test_it_takes_only_what_the_site_signed(options: str | None, client: Client, engine: Engine) -> None:
    query = {} if options is None else {"options": options}
    answer = client.get("/personalization/fragment/", query)
    assert answer.status_code == 400
    assert b"not signed by this site" in answer.content
    assert not engine.received


def test_it_takes_no_signature_of_another_purpose_and_no_changed_one(
    page: HttpRequest, client: Client, engine: Engine
) -> None:
    from django.core.signing import Signer

    foreign = Signer(salt="other").sign_object({"scenario": "front", "language": "en"})
    bare = lazy.signer().sign_object(["front"])
    unknown = lazy.signer().sign_object({"scenario": "front", "language": "xx-nowhere"})
    html = lazy.show_recommendations(page, "front", lazy=True)
    changed = address_of(html).replace("options=ey", "options=eY")
    for signed in (foreign, bare, unknown):
        assert client.get("/personalization/fragment/", {"options": signed}).status_code == 400
    assert client.get(changed).status_code == 400
    assert client.post(address_of(html)).status_code == 405
    assert not engine.received


def test_it_is_written_by_both_template_engines(page: HttpRequest) -> None:
    jinja = engines["jinja2"].from_string("{{ show_recommendations('front', lazy=True) }}")
    django = engines["django"].from_string(
        "{% load personalization %}{% show_recommendations 'front' lazy=True %}"
    )
    assert address_of(jinja.render({}, page)) == address_of(django.render({}, page))


def test_it_is_empty_without_an_engine_and_shown_at_once_in_a_preview(
    page: HttpRequest, engine: Engine, sites_file: Callable[[str], None]
) -> None:
    engine.body = answer_of(engine, 7)
    page.is_preview = True  # type: ignore[attr-defined]
    assert "Place 7" in lazy.show_recommendations(page, "front", lazy=True)
    page.is_preview = False  # type: ignore[attr-defined]
    lines = [line for line in SITES.splitlines(keepends=True) if "authentication:" not in line]
    sites_file("".join(lines))
    page.__dict__.pop("_lodestar_sites", None)
    assert lazy.show_recommendations(page, "front", lazy=True) == ""


def test_tracking_may_be_the_same_for_everybody(
    page: HttpRequest, client: Client, make_items: Callable[..., None]
) -> None:
    from personalization.client import rendering

    make_items(1)
    page.COOKIES["lodestar_visitor"] = "0b8f6f0e-aaaa-bbbb"
    html = rendering.track_user(page, 1, cacheable=True)
    assert '["_trackEvent","38","click","1","",' in html
    assert "0b8f6f0e" not in html
    assert "<noscript>" not in html
    assert not hasattr(page, "_lodestar_visitor")


def test_options_may_be_what_json_cannot_hold(page: HttpRequest, engine: Engine, client: Client) -> None:
    when, kinds = datetime.date(2026, 5, 1), {"b", "a"}
    html = lazy.show_recommendations(
        page, "front", lazy=True, title=gettext_lazy("Yes"), filters={"from": when, "kinds": kinds}
    )
    engine.body = answer_of(engine, 7)
    assert b"Yes</h2>" in client.get(address_of(html)).content
    [call] = engine.received
    assert "&from=2026-05-01&kinds=a%2Cb" in call.path


def test_a_context_of_codes_is_kept(page: HttpRequest, engine: Engine, client: Client) -> None:
    client.get(address_of(lazy.show_recommendations(page, "front", lazy=True, context="OWNS,CLICKED")))
    client.get(address_of(lazy.show_recommendations(page, "front", lazy=True, context=4711)))
    assert ["contextitems=OWNS%2CCLICKED" in call.path for call in engine.received] == [True, False]
    assert "contextitems=4711" in engine.received[1].path


def test_an_option_of_an_earlier_version_changes_nothing(engine: Engine, client: Client) -> None:
    engine.body = answer_of(engine, 7)
    signed = lazy.signer().sign_object({"scenario": "front", "language": "en", "gone": 1})
    assert client.get("/personalization/fragment/", {"options": signed}).status_code == 200
