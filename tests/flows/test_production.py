"""`serve` with LODESTAR_DEBUG=0, as an operator starts it: nothing else run before."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
import requests

from tests.conftest import CopyOfDemo
from tests.flows.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PRODUCTION = {"LODESTAR_DEBUG": "0", "SECRET_KEY": "only-for-this-test-" * 4}


@pytest.fixture(scope="module")
def production(demo_build: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    var_dir = tmp_path_factory.mktemp("production") / "var"
    shutil.copytree(demo_build.var_dir, var_dir)
    with Installation(var_dir=var_dir, extra_env=PRODUCTION).serving() as installation:
        yield installation


def get(production: Installation, path: str) -> requests.Response:
    return requests.get(production.base + path, timeout=60, allow_redirects=False)


def test_it_shows_pages_with_their_static_files_and_pictures(production: Installation) -> None:
    html = get(production, "/").text
    assets = set(re.findall(r'(?:src|href)="(/static/[^"]+|/media/[^"]+)"', html))
    assert {asset.split("/")[1] for asset in assets} == {"static", "media"}
    for asset in assets:
        answer = get(production, asset)
        assert answer.status_code == 200, asset
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert get(production, "/admin/login/").status_code == 200


def test_it_lets_no_picture_run_in_the_browser(production: Installation) -> None:
    evil = production.var_dir / "media" / "images" / "evil.html"
    evil.write_text("<script>alert(1)</script>")

    answer = get(production, "/media/images/evil.html")

    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["/media/", "/media/images/", "/media/documents/x.pdf", "/nope/", "/fr/nope/"],
)
def test_it_answers_with_its_own_page_what_does_not_exist(path: str, production: Installation) -> None:
    answer = get(production, path)

    assert answer.status_code == 404
    assert "Traceback" not in answer.text
    assert ("Page introuvable" if path.startswith("/fr/") else "Page not found") in answer.text


def test_it_answers_head_with_headers_alone_and_says_nothing_of_it(production: Installation) -> None:
    for path in ("/", "/nope/", "/static/site/star.svg"):
        answer = requests.head(production.base + path, timeout=60)
        assert int(answer.headers["Content-Length"]) > 0
    assert "no-body response" not in (production.var_dir / "serve.log").read_text()


def test_it_serves_nothing_outside_of_the_media_folder(production: Installation) -> None:
    (production.var_dir / "secret_key").write_text("canary")
    answer = get(production, "/media/..%2fsecret_key")

    assert answer.status_code in (400, 404)
    assert "canary" not in answer.text


def test_it_warns_of_the_demos_keys_and_finds_the_rest_well(production: Installation) -> None:
    said = production.manage("doctor", check=False)

    assert "site_en, site_fr use the demo's license keys" in said
    assert "static files: are collected" in said
    assert "Warning, sites file: site_en" in (production.var_dir / "serve.log").read_text()


@pytest.mark.parametrize("command", [["serve"], ["work"], ["collect"]])
def test_it_does_not_start_with_a_weak_key(command: list[str], copy_of_demo: CopyOfDemo) -> None:
    weak = copy_of_demo(LODESTAR_DEBUG="0", SECRET_KEY="short")

    done = weak.attempt("manage.py", *command)

    assert done.returncode == 2
    assert "Not started. secret key: is short, too simple or a default." in done.stderr


def test_it_says_that_static_files_are_missing(copy_of_demo: CopyOfDemo) -> None:
    said = copy_of_demo(**PRODUCTION).manage("doctor", check=False)
    assert "static files: are not collected; every page would fail" in said
