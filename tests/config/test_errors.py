"""What a visitor sees of an address that does not exist, in development too."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.mark.parametrize("development", [True, False])
@pytest.mark.parametrize(
    ("path", "title", "home"),
    [
        ("/nope/", "Page not found", "/"),
        ("/nope.php", "Page not found", "/"),
        ("/a b/", "Page not found", "/"),
        ("/fr/nope/", "Page introuvable", "/fr/"),
        ("/fr/nope.txt", "Page introuvable", "/fr/"),
        ("/static/nope.css", "Page not found", "/"),
    ],
)
def test_it_is_the_own_page_for_every_unknown_address(
    path: str, title: str, home: str, *, development: bool, settings: Settings
) -> None:
    settings.DEBUG = development

    answer = Client().get(path)

    html = answer.content.decode()
    assert answer.status_code == 404
    assert f"<title>{title}" in html
    assert f'class="button" href="{home}"' in html


def test_it_still_completes_an_address_that_lacks_a_slash(settings: Settings) -> None:
    settings.DEBUG = True
    assert Client().get("/nope").headers["Location"] == "/nope/"
