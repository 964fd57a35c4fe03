"""The back office shows what was imported and exported."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from personalization.client.models import ExportRun
from personalization.server.models import ImportRun

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def editor() -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "a long enough password"))
    return client


def test_it_lists_the_import_history(editor: Client) -> None:
    run = ImportRun.objects.create(
        customer_id="10101", action="FULL", item_type=38, type_name="Place", language="eng-GB", imported=44
    )
    page = editor.get("/admin/personalization/imports/").content.decode()
    assert "Place" in page
    assert ">44<" in "".join(page.split())
    details = editor.get(f"/admin/personalization/imports/inspect/{run.pk}/")
    assert details.status_code == 200


def test_it_says_in_the_list_why_an_import_failed_and_of_which_item(editor: Client) -> None:
    ImportRun.objects.create(
        customer_id="10101",
        action="UPDATE",
        item_type=38,
        item_id="4711",
        status=ImportRun.Status.FAILED,
        error="http://site.example/content/id/4711 answered 500.",
    )
    page = editor.get("/admin/personalization/imports/").content.decode()

    assert "Item 4711 of type 38" in page
    assert "answered 500." in page
    assert "(blank)" not in page


def test_it_lists_exports_without_their_secrets(editor: Client) -> None:
    run = ExportRun.objects.create(
        customer_id="10101", site_name="site_en", folder="f", items=110, password_hash="argon-canary"
    )
    assert "site_en" in editor.get("/admin/personalization/exports/").content.decode()
    details = editor.get(f"/admin/personalization/exports/inspect/{run.pk}/").content.decode()
    assert "110" in details
    assert "argon-canary" not in details


@pytest.mark.parametrize(
    "what", ["imports/new/", "exports/delete/1/", "exports/edit/1/", "imports/delete/1/"]
)
def test_it_lets_nobody_make_or_delete_runs(editor: Client, what: str) -> None:
    assert editor.get(f"/admin/personalization/{what}").status_code in (403, 404)


def test_it_shows_nothing_to_visitors() -> None:
    answer = Client(headers={"host": "localhost"}).get("/admin/personalization/imports/")
    assert answer.status_code == 302
    assert "login" in answer["Location"]
