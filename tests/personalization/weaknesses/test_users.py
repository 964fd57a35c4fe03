"""Faults of the reference around users that are not repeated (reference sections 6.5, 7, 10.3, 10.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import User as Account
from django.core.management import CommandError, call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from config.site_access import SiteAccess
from personalization.client import rendering, users, visitor
from personalization.client.users import Attribute, User, user_attributes
from tests.personalization.client.conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]
VISITOR = "0b8f6f0e-aaaa-bbbb-cccc-000000000001"
LOGIN = re.compile(r'\["_login","([^"]+)","([^"]+)"')


def page(request: HttpRequest) -> HttpResponse:
    request.LANGUAGE_CODE = "en"  # as Django's middleware does on the pages of a site
    return HttpResponse(f"<body>{rendering.track_user(request)}</body>")


urlpatterns = [path("page/", page)]


@pytest.fixture
def told() -> Iterator[None]:
    """A project that knows one user."""

    @user_attributes()
    def gender(_site: SiteAccess) -> Iterable[User]:
        yield User("12", (Attribute("gender", "male"),))

    yield
    users.forget(gender)


def update(*options: str) -> str:
    out = StringIO()
    call_command("update_users", *options, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.usefixtures("told")
def test_w31_without_a_configured_source_and_without_users_it_says_so(
    engine: Engine, sites_file: Callable[[str], None]
) -> None:
    # Brings it back: personalization/client/users/__init__.py:
    # `return one.source or site.user_source or DEFAULT_SOURCE` -> `return one.source or site.user_source`
    sites_file(
        SITES.replace(
            "        event_tracking:", '        user: {{ endpoint: "{engine}" }}\n        event_tracking:'
        )
    )
    assert "User attributes updated successfully!" in update("--site=site_en")
    assert [call.path for call in engine.received] == ["/api/501/users/user"]
    with pytest.raises(CommandError, match="Property xmlBody is not defined") as caught:
        update("--source=nobody-tells-this")
    assert caught.value.returncode == 1


@pytest.mark.urls(__name__)
def test_w33_a_login_joins_the_cookie_that_was_tracked_and_the_account(client: Client) -> None:
    # Brings it back: personalization/client/rendering.py:
    # `anonymous = visitor.from_cookies(request)` -> `anonymous = request.session.session_key`
    account = Account.objects.create_user("ana", password="a long enough password")
    client.get("/page/")
    anonymous = client.cookies["lodestar_visitor"]
    assert anonymous["max-age"] == 90 * 24 * 3600
    before = client.session.session_key
    assert client.login(username="ana", password="a long enough password")
    assert client.session.session_key != before, "Django rotates the key at a login"
    first, second = (client.get("/page/").content.decode() for _ in range(2))
    assert LOGIN.findall(first) == [(anonymous.value, str(account.pk))]
    assert LOGIN.findall(second) == [], "once"
    assert client.cookies["lodestar_visitor"].value == anonymous.value


@pytest.mark.urls(__name__)
def test_w34_without_a_customer_no_login_is_told(client: Client, sites_file: Callable[[str], None]) -> None:
    """Case 9-103: nor for who logs in without the browser's cookie, as callers of an API do."""
    # Brings it back: personalization/client/rendering.py:
    # `if session is None or not anonymous or who in ("", visitor.NOBODY, anonymous):` ->
    # `if session is None:`
    account = Account.objects.create_user("ana", password="a long enough password")
    client.force_login(account)
    untouched = dict(client.session)
    html = client.get("/page/").content.decode()
    assert "_setMandator" in html
    assert LOGIN.findall(html) == []
    assert dict(client.session) == untouched
    lines = [line for line in SITES.splitlines(keepends=True) if "authentication:" not in line]
    sites_file("".join(lines))
    client.cookies["lodestar_visitor"] = VISITOR
    assert client.get("/page/").content == b"<body></body>"
    assert dict(client.session) == untouched


def test_w50_a_visitor_may_refuse_and_an_engine_forgets(
    engine: Engine, sites_file: Callable[[str], None], rf: Any
) -> None:
    # Brings it back: personalization/client/visitor.py: `if not may_follow(request):` -> `if False:`
    request = rf.get("/", headers={"DNT": "1"})
    request.user, request.LANGUAGE_CODE = AnonymousUser(), "en"
    assert visitor.visitor_of(request) == "not_defined"
    refused = rf.get("/")
    refused.user, refused.LANGUAGE_CODE = AnonymousUser(), "en"
    refused.COOKIES.update(lodestar_visitor=VISITOR, lodestar_consent="0")
    assert visitor.visitor_of(refused) == "not_defined"

    ids = ("--user-id=12", "--user-id=a%b")
    call_command("forget_user", "--site=site_en", *ids, stdout=StringIO())
    [call] = engine.received
    assert (call.method, call.path) == ("DELETE", "/api/501/user/12,a%25b")
