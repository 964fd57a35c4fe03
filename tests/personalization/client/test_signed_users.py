"""Pages sign the ids of accounts where the site asks for it; the engine answers nobody else."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.test import Client

from config import site_access
from config.customers.signing import user_signature
from personalization.client import rendering
from personalization.client.recommend import recommendations

from .conftest import SITES, Engine

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("sites_file")]

VISITOR = "0b8f6f0e-aaaa-bbbb-cccc-000000000001"


@pytest.fixture
def strict(sites_file: Callable[[str], None]) -> None:
    """The sites file of these tests, with signed users."""
    sites_file(SITES.replace("    default:\n", "    default:\n      tracking: {{ signed_users: true }}\n"))


@pytest.fixture
def request_(rf: object) -> HttpRequest:
    request: HttpRequest = rf.get("/")  # type: ignore[attr-defined]
    request.COOKIES["lodestar_visitor"] = VISITOR
    request.user = AnonymousUser()
    request.LANGUAGE_CODE = "en"  # type: ignore[attr-defined]
    return request


@pytest.mark.usefixtures("strict")
def test_it_signs_accounts_in_the_tracking_code_and_in_its_questions(
    request_: HttpRequest, engine: Engine, make_items: object
) -> None:
    make_items(1)  # type: ignore[operator]
    ann = User.objects.create_user("ann")
    request_.user = ann
    request_.session = {}  # type: ignore[assignment]
    [site] = [one for one in site_access.configured_sites() if one.customer_id == 501]
    signature = user_signature(license_key=site.license_key, customer_id=501, user=str(ann.pk))

    html = str(rendering.track_user(request_, 1))
    recommendations(request_, "front")

    assert html.count(f"usersig={signature}") >= 3  # login, click, consume
    assert parse_qs(urlsplit(engine.received[-1].path).query)["usersig"] == [signature]


@pytest.mark.usefixtures("strict")
def test_it_signs_no_visitor(request_: HttpRequest, engine: Engine, make_items: object) -> None:
    make_items(1)  # type: ignore[operator]
    assert "usersig" not in str(rendering.track_user(request_, 1))
    recommendations(request_, "front")
    assert "usersig" not in engine.received[-1].path


@pytest.mark.usefixtures("strict")
def test_it_answers_nobody_who_asks_for_an_account_without_proof() -> None:
    [site] = [one for one in site_access.configured_sites() if one.customer_id == 501]
    signature = user_signature(license_key=site.license_key, customer_id=501, user="ann")
    client = Client(headers={"host": "localhost"})
    for query in ("", "?usersig=" + "0" * 32, "?usersig=é"):
        assert client.get(f"/api/v2/501/ann/popular.json{query}").status_code == 403

    answer = client.get(f"/api/v2/501/ann/popular.json?usersig={signature}")

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    assert client.get(f"/api/v2/501/{VISITOR}/popular.json").status_code == 200
