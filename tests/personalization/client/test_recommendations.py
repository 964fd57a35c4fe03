"""Recommendations on pages: asked of a real server, rendered by both template engines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from csp.middleware import CSPMiddleware
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import RequestFactory
from django.utils.safestring import SafeString

from content.items.record import Item
from personalization.client import hooks, rendering
from personalization.client.answers import Recommendation
from personalization.client.recommend import recommendations
from personalization.client.visitor import VisitorCookie
from personalization.segments import changes

from .conftest import Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]

VISITOR = "0b8f6f0e-aaaa-bbbb-cccc-000000000001"


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.COOKIES["lodestar_visitor"] = VISITOR
    request.user = AnonymousUser()
    request.LANGUAGE_CODE = "en"
    return request


def answer_of(
    engine: Engine, *ids: int, source: str = "REQUEST", origin: int = 1, **attributes: str
) -> bytes:
    host = engine.url.removeprefix("http:")
    return json.dumps(
        {
            "contextItems": [],
            "recommendationItems": [
                {
                    "itemId": number,
                    "itemType": 38,
                    "relevance": 5,
                    "origin": {"itemIds": [origin], "itemType": 38, "source": source},
                    "links": {
                        "clickRecommended": f"{host}/api/501/clickrecommended/u/38/{number}?scenario=front",
                        "rendered": f"{host}/api/501/rendered/u/38/{number}?scenario=front",
                    },
                    "attributes": [
                        {"key": key, "values": [value]}
                        for key, value in (
                            {"name": f"Place {number}", "uri": f"/place/{number}/"} | attributes
                        ).items()
                    ],
                }
                for number in ids
            ],
        }
    ).encode()


def test_it_asks_the_engine_and_returns_its_items(
    request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(3)
    engine.status, engine.body = 200, answer_of(engine, 2, 3)

    found = recommendations(
        request_, "front", context=1, limit=2, filters={"color": ["red", "blue"], "size": "L"}
    )

    assert [(one.item_id, one.title, one.uri) for one in found] == [
        ("2", "Place 2", "/place/2/"),
        ("3", "Place 3", "/place/3/"),
    ]
    assert found[0].click_url.endswith("/api/501/clickrecommended/u/38/2?scenario=front")
    [call] = engine.received
    parts = urlsplit(call.path)
    assert parts.path == f"/api/v2/501/{VISITOR}/front.json"
    assert parse_qsl(parts.query) == [
        ("numrecs", "2"),
        ("contextitems", "1"),
        ("contenttype", "38"),
        ("categorypath", "/1/2/"),
        ("lang", "eng-GB"),
        ("attribute", "title"),
        ("attribute", "name"),
        ("attribute", "intro"),
        ("attribute", "image"),
        ("attribute", "uri"),
        ("color", "red,blue"),
        ("size", "L"),
    ]
    assert call.headers["Authorization"].startswith("Basic ")


def test_it_tells_the_engine_of_the_visitors_segments(
    request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(2)
    engine.status, engine.body = 200, answer_of(engine, 2)
    group = changes.create_group(identifier="audiences", name="Audiences")
    rows = [changes.create_segment(group, identifier=f"s{n}", name=f"S{n}") for n in range(3)]
    request_.user = User.objects.create_user("mabel")
    for row in rows[1:]:
        changes.assign(row, [request_.user.pk])

    def ask(**options: Any) -> None:
        # Each time as for another page: the blocks of one share the time that it may wait.
        vars(request_).pop("_lodestar_waited", None)
        vars(request_).pop("_lodestar_segments", None)
        recommendations(request_, "front", **options)

    ask()
    ask(filters={"segments": "7"})
    request_.COOKIES["lodestar_consent"] = "0"
    ask()

    asked = [dict(parse_qsl(urlsplit(call.path).query)).get("segments") for call in engine.received]
    assert asked == [f"{rows[1].pk},{rows[2].pk}", "7", None]


def test_it_says_why_with_the_title_of_the_item_that_was_viewed(
    request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(2)
    engine.status, engine.body = 200, answer_of(engine, 2, source="CLICK", origin=1)

    assert recommendations(request_, "front")[0].reason == "Because you viewed place 1 eng-GB"


@pytest.mark.parametrize("status", [500, 404, 401, 302, 409])
def test_it_falls_back_to_random_items_when_the_engine_fails(
    status: int, request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(5, kind="article")
    make_items(5, kind="place", start=50)
    engine.status = status

    found = recommendations(request_, "front", limit=3)

    assert len({one.item_id for one in found}) == 3
    assert all(one.item_type == 39 and one.click_url == "" for one in found)
    assert found[0].intro == "Café"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"recommendationItems": 7}', b"\xff", b"[" * 9000])
def test_it_returns_nothing_for_nonsense_and_no_fallback(
    body: bytes, request_: HttpRequest, engine: Engine
) -> None:
    engine.status, engine.body = 200, body

    assert recommendations(request_, "front") == []


def test_what_is_viewed_does_not_stand_in_for_recommendations(
    request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(3, kind="article")
    engine.status = 500
    for _ in range(20):
        found = recommendations(request_, "detail", context=2, limit=3)
        assert {one.item_id for one in found} == {"1", "3"}


@pytest.mark.parametrize(("limit", "count"), [("2", 2), (SafeString("1"), 1), ("many", 3), (0, 1), (999, 4)])
def test_a_limit_may_come_as_text(
    limit: Any, count: int, request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(4, kind="article")
    engine.status = 500
    assert len(recommendations(request_, "front", limit=limit)) == count


def test_the_log_repeats_what_the_engine_says_is_wrong(
    request_: HttpRequest, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.status, engine.body = 404, b"The scenario 'frnt' is unknown. Did you mean 'front'?\n"
    engine.headers = {"Content-Type": "text/plain; charset=utf-8"}
    assert recommendations(request_, "frnt") == []
    assert "(404). It says: The scenario 'frnt' is unknown. Did you mean 'front'?" in caplog.text


class Course:
    """An object of a source other than pages."""

    def __init__(self, key: str) -> None:
        self.item_key = key


def test_an_object_with_item_key_is_an_item(
    request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(2)
    engine.status, engine.body = 200, answer_of(engine, 1)
    remote = Item.objects.values_list("remote_id", flat=True).get(content_id=2)
    recommendations(request_, "detail", context=Course(remote))
    assert dict(parse_qsl(urlsplit(engine.received[-1].path).query))["contextitems"] == "2"


def test_an_object_without_a_key_is_named_in_the_log(
    request_: HttpRequest, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.status, engine.body = 200, answer_of(engine, 1)
    recommendations(request_, "detail", context=object())
    assert "An object of the type object is no page, content id or remote id" in caplog.text


@pytest.mark.parametrize(
    ("context", "sent"),
    [
        ("CLICKED", "CLICKED"),
        ("OWNS, CLICKED", "OWNS,CLICKED"),
        (["BASKET", "RATED"], "BASKET,RATED"),
        (4711, "4711"),  # of the engine's, no item here
        ([4711, True, -3, None, "nonsense"], "4711"),
    ],
)
def test_a_context_may_be_a_history_or_an_id_of_the_engines(
    context: object, sent: str, request_: HttpRequest, engine: Engine
) -> None:
    engine.status, engine.body = 200, answer_of(engine, 1)
    recommendations(request_, "detail", context=context)
    assert dict(parse_qsl(urlsplit(engine.received[-1].path).query))["contextitems"] == sent


def test_it_asks_for_what_a_link_needs_whatever_the_template_wants(
    request_: HttpRequest, engine: Engine
) -> None:
    engine.status, engine.body = 200, answer_of(engine, 1)
    recommendations(request_, "detail", attributes=("color",))
    query = parse_qsl(urlsplit(engine.received[-1].path).query)
    assert [value for name, value in query if name == "attribute"] == ["color", "title", "name", "uri"]


def test_it_does_not_wait_longer_than_the_budget(
    request_: HttpRequest, engine: Engine, settings: Any
) -> None:
    engine.status, engine.delay = 200, 3

    started = time.monotonic()
    assert recommendations(request_, "front") == []

    assert time.monotonic() - started < 2  # 0.3 s and what a busy machine adds


def test_the_blocks_of_a_page_share_the_budget(request_: HttpRequest, engine: Engine, settings: Any) -> None:
    """Each answer alone would be in time; together they may not take longer than one."""
    settings.RECOMMENDATION_BUDGET_SECONDS = 1.0
    engine.status, engine.delay, engine.body = 200, 0.7, answer_of(engine, 1)
    assert recommendations(request_, "front")
    for _ in range(5):
        assert recommendations(request_, "front") == []
    assert len(engine.received) <= 2


def test_a_listener_below_the_fallback_sees_what_it_put_in(
    request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    """Reference 6.9."""
    make_items(2, kind="article")
    engine.status = 500
    seen: dict[int, int] = {}
    listeners = []
    for priority in (-10, -11):

        @hooks.recommendation_listener(priority=priority)
        def look(draft: hooks.Draft, priority: int = priority) -> None:
            seen[priority] = len(draft.items)

        listeners.append(look)
    try:
        recommendations(request_, "front")
    finally:
        for listener in listeners:
            hooks.forget(listener)
    assert seen == {-10: 0, -11: 2}


def test_it_lets_listeners_change_the_list_between_engine_and_fallback(
    request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(2, kind="article")
    engine.status, engine.body = 200, answer_of(engine, 2)
    seen: list[list[Recommendation]] = []

    @hooks.recommendation_listener(priority=-10)
    def empty(draft: hooks.Draft) -> None:
        seen.append(list(draft.items))
        draft.items = []

    @hooks.recommendation_listener(priority=-20)
    def broken(draft: hooks.Draft) -> None:
        raise RuntimeError("a project's bug")

    try:
        found = recommendations(request_, "front")
    finally:
        hooks.forget(empty)
        hooks.forget(broken)

    assert [one.item_id for one in seen[0]] == ["2"]
    assert {one.item_type for one in found} == {39}


def test_it_names_the_account_of_a_logged_in_visitor(request_: HttpRequest, engine: Engine) -> None:
    request_.user = User.objects.create_user("ann")
    recommendations(request_, "front")

    assert f"/api/v2/501/{request_.user.pk}/front.json" in engine.received[0].path


def test_it_gives_a_new_visitor_a_cookie_for_90_days(rf: RequestFactory, engine: Engine) -> None:
    request = rf.get("/")
    request.COOKIES["lodestar_visitor"] = "<script>"

    def view(request: HttpRequest) -> HttpResponse:
        recommendations(request, "front")
        return HttpResponse("x")

    response = VisitorCookie(view)(request)

    cookie = response.cookies["lodestar_visitor"]
    assert len(cookie.value) == 36
    assert cookie["max-age"] == 90 * 24 * 3600
    assert f"/{cookie.value}/" in engine.received[0].path
    assert "private" in response["Cache-Control"]


def test_it_takes_the_id_of_an_older_tracker_over(rf: RequestFactory, engine: Engine) -> None:
    request = rf.get("/")
    request.COOKIES["YCID"] = "11111111-2222-3333-4444-555555555555"

    recommendations(request, "front")

    assert "/11111111-2222-3333-4444-555555555555/" in engine.received[0].path


def test_it_sets_no_cookie_where_nobody_asked(rf: RequestFactory) -> None:
    assert not VisitorCookie(lambda request: HttpResponse("x"))(rf.get("/")).cookies


def test_it_is_empty_without_a_site_of_the_language(request_: HttpRequest, engine: Engine) -> None:
    request_.LANGUAGE_CODE = "de"

    assert recommendations(request_, "front") == []
    assert rendering.track_user(request_) == ""
    assert not rendering.enabled(request_)
    assert not engine.received


JINJA = "{{ show_recommendations('front', title='For you') }}"
DJANGO = "{% load personalization %}{% show_recommendations 'front' title='For you' %}"


@pytest.mark.parametrize(("backend", "source"), [("jinja2", JINJA), ("django", DJANGO)])
def test_it_renders_recommendations_in_both_template_engines(
    backend: str, source: str, request_: HttpRequest, engine: Engine
) -> None:
    evil = '"><script>alert(1)</script>'
    engine.status, engine.body = 200, answer_of(engine, 2, intro=evil, image="javascript:alert(1)")

    html = engines[backend].from_string(source).render({}, request_)

    assert 'href="/place/2/"' in html
    assert "data-recommendation-ping-api=" in html
    assert "data-recommendation-rendered-api=" in html
    assert "For you" in html
    assert "<script" not in html
    assert "javascript:" not in html


@pytest.mark.parametrize(
    ("backend", "source"),
    [
        ("jinja2", "{{ show_recommendations('detail', context=page, limit=4) }}"),
        ("jinja2", "{% for one in recommendations('detail', context=page) %}{{ one.title }}{% endfor %}"),
        ("django", "{% show_recommendations 'detail' context=page limit=4 %}"),
        (
            "django",
            "{% recommendations 'detail' context=page as found %}"
            "{% for one in found %}{{ one.title }}{% endfor %}",
        ),
    ],
)
def test_it_asks_for_what_goes_with_the_page_in_both_template_engines(
    backend: str, source: str, request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(1)
    engine.status, engine.body = 200, answer_of(engine, 2)
    loaded = source if backend == "jinja2" else "{% load personalization %}" + source

    html = engines[backend].from_string(loaded).render({"page": 1}, request_)

    assert "Place 2" in html
    assert "contextitems=1" in engine.received[0].path


def test_it_says_the_reason_once_for_the_list_or_with_each_item(
    request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(2)
    why = "Because you viewed place {} eng-GB"
    engine.status, engine.body = 200, answer_of(engine, 5, 6, source="CLICK", origin=1)
    assert str(rendering.show_recommendations(request_, "front")).count(why.format(1)) == 1

    document = json.loads(engine.body)
    document["recommendationItems"][1]["origin"]["itemIds"] = [2]
    engine.body = json.dumps(document).encode()
    html = str(rendering.show_recommendations(request_, "front"))

    assert [html.count(why.format(number)) for number in (1, 2)] == [1, 1]
    assert html.index("Place 5") < html.index(why.format(1)) < html.index("Place 6")


@pytest.mark.parametrize("name", ["track_user", "ibexa_recommendation_track_user"])
@pytest.mark.parametrize("backend", ["jinja2", "django"])
def test_it_renders_the_tracking_code(
    backend: str, name: str, request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(1)
    source = (
        f"{{{{ {name}(1) }}}}" if backend == "jinja2" else f"{{% load personalization %}}{{% {name} 1 %}}"
    )

    html = engines[backend].from_string(source).render({}, request_)

    assert '["_setMandator","501"]' in html
    assert f'["_trackEvent","38","click","1","{VISITOR}","?lang=eng-GB\\u0026categorypath=/1/2/"]' in html
    assert f'["_trackTimedEvent","38","consume","1","20000","{VISITOR}"' in html
    assert "lodestar/tracker.js" in html
    assert f'data-endpoint="{engine.url}"' in html
    assert 'data-customer="501"' in html


@pytest.mark.parametrize(
    "source",
    ["{{ track_user(1) }}", "{% load personalization %}{% track_user 1 %}"],
    ids=["jinja2", "django"],
)
def test_it_renders_a_picture_for_browsers_without_scripts(
    source: str, request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(1)
    backend = engines["django" if "load" in source else "jinja2"]
    address = f"{engine.url}/api/501/click/{VISITOR}/38/1?lang=eng-GB&amp;categorypath=/1/2/"

    assert f'<noscript><img src="{address}" alt=""' in backend.from_string(source).render({}, request_)
    request_.COOKIES["lodestar_consent"] = "1"
    assert f'src="{address}&amp;consent=1"' in backend.from_string(source).render({}, request_)
    request_.COOKIES["lodestar_consent"] = "0"
    assert "<noscript" not in backend.from_string(source).render({}, request_)


def test_it_gives_its_scripts_the_nonce_of_the_policy(
    request_: HttpRequest, make_items: Callable[..., None]
) -> None:
    CSPMiddleware(lambda _request: HttpResponse()).process_request(request_)

    html = str(rendering.track_user(request_, 1))

    assert html.count(f'nonce="{request_.csp_nonce}"') == 2


@pytest.mark.parametrize(("status", "source"), [(200, "engine"), (500, "fallback")])
def test_it_says_on_the_block_who_recommended(
    status: int, source: str, request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(2, kind="article")
    engine.status, engine.body = status, answer_of(engine, 2)

    assert f'data-source="{source}"' in rendering.show_recommendations(request_, "front")


def test_it_tracks_no_view_of_a_type_that_is_not_included(
    request_: HttpRequest, make_items: Callable[..., None]
) -> None:
    make_items(1, kind="product")

    html = rendering.track_user(request_, 1)

    assert "_trackEvent" not in html
    assert "_setMandator" in html


def test_it_tracks_nothing_in_an_editors_preview(request_: HttpRequest) -> None:
    request_.is_preview = True

    assert rendering.track_user(request_, 1) == ""


def test_it_joins_browser_and_account_once(request_: HttpRequest) -> None:
    request_.user = User.objects.create_user("ann")
    request_.session = {}

    assert f'["_login","{VISITOR}","{request_.user.pk}"]' in rendering.track_user(request_)
    assert "_login" not in rendering.track_user(request_)
