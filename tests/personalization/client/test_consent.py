"""Pages and consent: who has not decided is nobody where the site asks for consent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.cache import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config.customers.directory import directory
from config.customers.models import Customer
from personalization.client import rendering
from personalization.client.recommend import recommendations
from personalization.client.visitor import VisitorCookie

from .conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]

VISITOR = "0b8f6f0e-aaaa-bbbb-cccc-000000000001"
Respond = Callable[..., tuple[HttpResponse, HttpRequest]]


@pytest.fixture
def consent_required(sites_file: Callable[[str], None]) -> None:
    default = "    default:\n"
    assert default in SITES
    sites_file(SITES.replace(default, f"{default}      tracking: {{{{ consent_required: true }}}}\n"))


@pytest.fixture
def respond(rf: RequestFactory, make_items: Callable[..., None]) -> Respond:
    """A page with the tracking code, for a visitor with these cookies."""
    make_items(1)

    def run(user: User | AnonymousUser | None = None, **cookies: str) -> tuple[HttpResponse, HttpRequest]:
        request = rf.get("/")
        request.COOKIES.update(cookies)
        request.user = user or AnonymousUser()
        request.session = SessionStore()
        request.LANGUAGE_CODE = "en"
        return VisitorCookie(lambda asked: HttpResponse(rendering.track_user(asked, 1)))(request), request

    return run


@pytest.mark.usefixtures("consent_required")
@pytest.mark.parametrize("cookies", [{}, {"lodestar_visitor": VISITOR}, {"YCID": VISITOR}])
def test_it_sets_no_cookie_and_names_nobody_before_consent(respond: Respond, cookies: dict[str, str]) -> None:
    response, _request = respond(**cookies)

    html = response.content.decode()
    assert not response.cookies
    assert VISITOR not in html
    assert '["_trackEvent","38","click","1","",' in html
    assert 'data-consent="required"' in html
    assert "<noscript" not in html  # a picture cannot ask
    assert response["Vary"] == "Cookie, DNT, Sec-GPC"


def test_it_asks_where_the_customer_itself_needs_consent(respond: Respond) -> None:
    Customer.objects.create(customer_id="501", name="Shop", needs_consent=True)
    directory.forget()
    response, _request = respond()
    assert 'data-consent="required"' in response.content.decode()
    assert not response.cookies


@pytest.mark.usefixtures("consent_required")
def test_it_follows_after_consent(respond: Respond) -> None:
    response, _request = respond(lodestar_consent="1", lodestar_visitor=VISITOR)

    assert response.cookies["lodestar_visitor"].value == VISITOR
    assert f'"click","1","{VISITOR}"' in response.content.decode()


@pytest.mark.usefixtures("consent_required")
def test_it_links_no_account_before_consent(respond: Respond) -> None:
    user = User.objects.create_user("mabel")
    before, _request = respond(user, lodestar_visitor=VISITOR)
    after, _request = respond(user, lodestar_visitor=VISITOR, lodestar_consent="1")

    assert "_login" not in before.content.decode()
    assert f'"click","1","{user.pk}"' not in before.content.decode()
    assert f'["_login","{VISITOR}","{user.pk}"]' in after.content.decode()


@pytest.mark.parametrize("decision", ["1", "", "maybe", "\U0001f433"])
def test_it_follows_where_nobody_asks_for_consent(respond: Respond, decision: str) -> None:
    response, _request = respond(lodestar_consent=decision)

    assert response.cookies["lodestar_visitor"].value
    assert "data-consent" not in response.content.decode()


def test_it_honours_a_refusal_where_nobody_asks(respond: Respond) -> None:
    response, _request = respond(lodestar_consent="0", lodestar_visitor=VISITOR)

    assert not response.cookies
    assert VISITOR not in response.content.decode()
    assert response["Vary"] == "Cookie, DNT, Sec-GPC"


@pytest.mark.usefixtures("consent_required")
@pytest.mark.parametrize(("decision", "asked"), [("", "not_defined"), ("0", "not_defined"), ("1", VISITOR)])
def test_it_asks_the_engine_for_nobody_before_consent(
    respond: Respond, engine: Engine, decision: str, asked: str
) -> None:
    _response, request = respond(lodestar_consent=decision, lodestar_visitor=VISITOR)
    engine.status, engine.body = 200, b'{"contextItems": [], "recommendationItems": []}'

    recommendations(request, "front")

    assert engine.received[-1].path.startswith(f"/api/v2/501/{asked}/front")


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_it_follows_no_browser_that_asks_not_to_be(
    header: str, rf: RequestFactory, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(1)
    request = rf.get("/", headers={header: "1"})
    request.COOKIES.update({"lodestar_visitor": VISITOR, "lodestar_consent": "1"})
    request.user, request.LANGUAGE_CODE = AnonymousUser(), "en"

    def view(asked: HttpRequest) -> HttpResponse:
        recommendations(asked, "front")
        return HttpResponse(rendering.track_user(asked, 1))

    response = VisitorCookie(view)(request)

    assert not response.cookies
    assert VISITOR not in response.content.decode()
    assert '["_trackEvent","38","click","1","not_defined",' in response.content.decode()
    assert "/not_defined/front.json" in engine.received[-1].path
    assert header in response["Vary"]


@pytest.mark.usefixtures("engine")
def test_it_asks_where_another_site_of_the_same_customer_does(
    sites_file: Callable[[str], None], respond: Respond
) -> None:
    second = """
    site_asking:
      languages: [ger-DE]
      tracking: {{ consent_required: true }}
      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}
"""
    sites_file(SITES.rstrip() + second)
    response, _request = respond(lodestar_visitor=VISITOR)
    assert VISITOR not in response.content.decode()
