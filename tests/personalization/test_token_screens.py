"""Bearer tokens in the back office."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from wagtail.models import ModelLogEntry

from personalization.client import tokens
from personalization.client.models import AccessToken
from tests.personalization.client.conftest import engine, sites_file

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("sites_file")]

__all__ = ["engine", "sites_file"]  # fixtures
LIST = "/admin/personalization/tokens/"
NEW = f"{LIST}new/"
TOKEN = re.compile(r"pt_[\w-]{43}")
FORM = {"customer": "501", "scope": "export", "days": "7"}


def login(*codenames: str) -> Client:
    user = User.objects.create_user(f"user-{User.objects.count()}", is_superuser=not codenames)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*codenames, "access_admin"]))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def test_it_creates_a_token_and_shows_it_once() -> None:
    boss = login()
    assert "501 (English)" in boss.get(NEW).content.decode()
    answer = boss.post(NEW, FORM)

    [token] = set(TOKEN.findall(answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    assert tokens.customer_of(token, identifier="export") == "501"
    row = AccessToken.objects.get()
    assert (row.expires_at - row.created_at).days == 7
    assert ModelLogEntry.objects.get(action="wagtail.create").label == str(row)
    for path in (LIST, f"{LIST}inspect/{row.pk}/"):
        page = boss.get(path).content.decode()
        assert not TOKEN.search(page)
        assert row.digest not in page


@pytest.mark.parametrize("wrong", [{"customer": "999"}, {"days": "0"}, {"days": "367"}, {"scope": "all"}])
def test_it_creates_none_of_a_wrong_form(wrong: dict[str, str]) -> None:
    page = html.unescape(login().post(NEW, FORM | wrong).content.decode())
    assert "The token could not be created due to errors." in page
    assert not AccessToken.objects.exists()


def test_it_revokes_after_asking() -> None:
    boss, token = login(), tokens.mint(501)
    revoke = f"{LIST}revoke/{AccessToken.objects.get().pk}/"
    assert revoke in boss.get(LIST).content.decode()
    assert "Yes, revoke it" in boss.get(revoke).content.decode()
    assert tokens.customer_of(token, identifier="update") == "501"

    assert boss.post(revoke)["Location"] == LIST

    assert tokens.customer_of(token, identifier="update") is None
    page = boss.get(LIST).content.decode()
    assert "Revoked" in page
    assert revoke not in page


def test_it_lets_each_do_what_is_permitted() -> None:
    viewer, stranger = login("view_accesstoken"), login("view_customer")
    tokens.mint(501)
    revoke = f"{LIST}revoke/{AccessToken.objects.get().pk}/"

    assert viewer.get(LIST).status_code == 200
    for client in (viewer, stranger):
        assert client.post(NEW, FORM).status_code == 403
        assert client.post(revoke).status_code == 403
    assert stranger.get(LIST).status_code == 403
    assert login("change_accesstoken").post(revoke)["Location"] == LIST
    assert AccessToken.objects.get().revoked


def test_nobody_edits_or_deletes_a_token_by_hand() -> None:
    boss = login()
    token = tokens.mint(501)
    row = AccessToken.objects.get(digest=tokens.digest(token))
    for action in ("edit", "delete"):
        assert boss.post(f"{LIST}{action}/{row.pk}/", {"customer": "501"}).status_code == 404
    assert f"{LIST}inspect/{row.pk}/" in boss.get(LIST).content.decode()
