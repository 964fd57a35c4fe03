"""The contract between a site and its engine, end to end: the same for one installation and for two.

Everything a test knows of the other party it learnt over HTTP: from pages, answers and documents.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests

from tests.conftest import CopyOfDemo
from tests.flows.installation import Installation, eventually
from tests.flows.parties import CUSTOMER, LICENSE_KEY, Parties, apart, together

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PLACE, ARTICLE, PRODUCT = 38, 39, 40
LOGIN = (CUSTOMER, LICENSE_KEY)
BLOCK = re.compile(r'data-scenario="(\w+)" data-source="(\w+)"')
FEEDBACK = re.compile(r'data-recommendation-(ping|rendered)-api="([^"]+)"')
ENDPOINT = re.compile(r'data-endpoint="([^"]*)"')
REST = "/api/ibexa/v2/personalization/v1"

EDIT = """
from content.models import ArticlePage
page = ArticlePage.objects.get(pk={number})
{change}
"""
RENAME = "page.title = {title!r}; page.save_revision().publish()"
UNPUBLISH = "page.unpublish()"


@pytest.fixture(scope="module", params=["one installation", "two installations"])
def parties(
    request: pytest.FixtureRequest, demo_build: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Parties]:
    folder: Path = tmp_path_factory.mktemp("parties")

    def copy(name: str = "var", **extra_env: str) -> Installation:
        shutil.copytree(demo_build.var_dir, folder / name)
        return Installation(var_dir=folder / name, extra_env=extra_env)

    copy_of_demo: CopyOfDemo = copy
    found = together(copy_of_demo) if request.param == "one installation" else apart(copy_of_demo, folder)
    with found.serving():
        said = found.site.manage("run_export")
        assert "the engine answered 202" in said
        eventually(lambda: len(articles(found)) > 20, seconds=90, what="the export in the item store")
        yield found


def ask(parties: Parties, scenario: str, *, user: str = "", **query: Any) -> dict[str, Any]:
    url = f"{parties.engine.base}/api/v2/{CUSTOMER}/{user or uuid4()}/{scenario}.json"
    answer = requests.get(url, params=query, timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(document: dict[str, Any]) -> list[int]:
    return [one["itemId"] for one in document["recommendationItems"]]


def articles(parties: Parties) -> list[int]:
    """Articles the engine would recommend, newest first; empty while it has none."""
    url = f"{parties.engine.base}/api/v2/{CUSTOMER}/{uuid4()}/recently_added.json"
    answer = requests.get(url, params={"numrecs": 50, "outputtypeid": ARTICLE}, timeout=60)
    return ids(answer.json()) if answer.status_code == 200 else []


def some(parties: Parties, kind: int) -> int:
    """An item of a type that the engine holds."""
    return ids(ask(parties, "popular", outputtypeid=kind, numrecs=10))[0]


def item(parties: Parties, number: int, kind: int = ARTICLE) -> requests.Response:
    return requests.get(f"{parties.engine.base}/api/{CUSTOMER}/item/{kind}/{number}", auth=LOGIN, timeout=60)


def send(parties: Parties, path: str) -> None:
    answer = requests.get(f"{parties.engine.base}/api/{CUSTOMER}/{path}", timeout=60)
    assert answer.status_code == 204, answer.text


def page(parties: Parties, path: str = "/", *, visitor: str = "") -> str:
    answer = requests.get(
        parties.site.base + path, timeout=60, cookies={"lodestar_visitor": visitor or str(uuid4())}
    )
    assert answer.status_code == 200
    return answer.text


def test_it_hands_over_every_item_with_its_attributes(parties: Parties) -> None:
    token = parties.site.manage("personalization_token", "--customer", CUSTOMER).split()[-1]
    for kind in (PLACE, ARTICLE, PRODUCT):
        listed = requests.get(
            f"{parties.site.base}{REST}/contenttypes/{kind}",
            params={"lang": "eng-GB", "page_size": 100},
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        assert listed.status_code == 200
        contents = listed.json()["contentList"]["content"]
        assert len(contents) >= 20
        for content in contents:
            stored = item(parties, content["contentId"], kind)
            assert stored.status_code == 200
            assert content["uri"] in stored.text


def test_it_shows_the_import_in_the_engines_history(parties: Parties) -> None:
    rows = parties.engine.python(
        "from personalization.server.models import ImportRun\n"
        "import json\n"
        "runs = ImportRun.objects.filter(customer_id='10101', action='FULL', language='eng-GB')\n"
        "shown = runs.order_by('-id').values_list('item_type', 'status', 'rejected', 'error')[:3]\n"
        "print(json.dumps(list(shown)))"
    )
    assert sorted(json.loads(rows.splitlines()[-1])) == [[kind, "done", 0, ""] for kind in (38, 39, 40)]


def test_it_follows_what_an_editor_changes_and_takes_back(parties: Parties) -> None:
    number = articles(parties)[3]
    title = f"Renamed {uuid4().hex[:8]}"

    parties.site.python(EDIT.format(number=number, change=RENAME.format(title=title)))
    eventually(lambda: title in item(parties, number).text, what="the new title in the item store")

    parties.site.python(EDIT.format(number=number, change=UNPUBLISH))
    eventually(lambda: item(parties, number).status_code == 404, what="the article gone")
    eventually(lambda: number not in articles(parties), what="no recommendation of the article")

    parties.site.python(EDIT.format(number=number, change=RENAME.format(title=title)))
    eventually(lambda: item(parties, number).status_code == 200, what="the article back")


@pytest.mark.parametrize("scenario", ["popular", "category", "detail", "also_bought", "front"])
def test_it_answers_every_scenario_with_what_a_page_needs(scenario: str, parties: Parties) -> None:
    context = {"detail": ARTICLE, "also_bought": PRODUCT}.get(scenario)
    query: dict[str, Any] = {"numrecs": 4, "attribute": "title,name,uri", "lang": "eng-GB"}
    if context:
        query["contextitems"] = some(parties, context)
        query["contenttype"] = context

    document = ask(parties, scenario, **query)

    assert len(document["recommendationItems"]) == 4
    for one in document["recommendationItems"]:
        attributes = {each["key"]: each["values"] for each in one["attributes"]}
        assert attributes["uri"][0].startswith("/")
        assert attributes.get("title") or attributes.get("name")
        assert urlsplit(one["links"]["clickRecommended"]).port == parties.engine.port
    assert query.get("contextitems") not in ids(document)


def test_it_recommends_on_pages_by_what_was_sent_to_the_endpoint_of_the_page(parties: Parties) -> None:
    visitor = str(uuid4())
    html = page(parties, visitor=visitor)
    assert {source for _scenario, source in BLOCK.findall(html)} == {"engine"}
    endpoint = ENDPOINT.findall(html)[0] or parties.site.base
    assert urlsplit(endpoint).port == parties.engine.port

    for number in articles(parties)[5:8]:
        clicked = requests.get(
            f"{endpoint}/api/{CUSTOMER}/click/{visitor}/{ARTICLE}/{number}?lang=eng-GB", timeout=60
        )
        assert clicked.status_code == 204

    eventually(
        lambda: "Because you viewed" in page(parties, visitor=visitor), what="a reason on the home page"
    )


def test_it_hears_that_a_recommendation_was_shown_and_followed(parties: Parties) -> None:
    visitor = str(uuid4())
    links = {kind: unescape(url) for kind, url in FEEDBACK.findall(page(parties, visitor=visitor))}
    assert set(links) == {"ping", "rendered"}
    for url in links.values():
        absolute = parties.site.base + url if url.startswith("/api") else f"http:{url.removeprefix('http:')}"
        answer = requests.get(absolute, timeout=60)
        assert answer.status_code == 204, answer.text
        assert f"/{visitor}/" in url
    stored = parties.engine.python(
        "from tracking.identity import pseudonym\n"
        "from tracking.models import Event\n"
        f"who = pseudonym({CUSTOMER!r}, {visitor!r})\n"
        "print(sorted(Event.objects.filter(user=who).values_list('event', flat=True)))"
    )
    assert stored.splitlines()[-1] == "['clickrecommended', 'rendered']"


def test_it_moves_the_history_to_the_account_at_login(parties: Parties) -> None:
    browser, account = str(uuid4()), f"account-{uuid4().hex[:6]}"
    for number in articles(parties)[:3]:
        send(parties, f"click/{browser}/{ARTICLE}/{number}")

    send(parties, f"login/{browser}/{account}")

    document = ask(parties, "front", user=account, numrecs=4)
    sources = {one["origin"]["source"] for one in document["recommendationItems"] if "origin" in one}
    assert sources == {"CLICK"}


@pytest.mark.parametrize("login", [None, ("10101", "wrong"), ("10102", LICENSE_KEY)])
def test_it_shows_items_to_nobody_without_the_license_key(login: Any, parties: Parties) -> None:
    url = f"{parties.engine.base}/api/{CUSTOMER}/item/{ARTICLE}/{articles(parties)[0]}"

    assert requests.get(url, auth=login, timeout=60).status_code == 401
    note = requests.post(
        f"{parties.engine.base}/api/{CUSTOMER}/items", json={"events": []}, auth=login, timeout=60
    )
    assert note.status_code == 401


def test_it_shows_content_to_nobody_without_a_token(parties: Parties) -> None:
    url = f"{parties.site.base}{REST}/content/id/{articles(parties)[0]}"

    assert requests.get(url, timeout=60).status_code == 401
    assert requests.get(url, headers={"Authorization": "Bearer nonsense"}, timeout=60).status_code == 401


def test_it_takes_a_second_export_as_the_whole_truth(parties: Parties) -> None:
    """An item that the site no longer has goes, although nobody said so."""
    parties.engine.python(
        "from personalization.server.models import StoredItem\n"
        f"row = StoredItem.objects.filter(customer_id='{CUSTOMER}', item_type={ARTICLE},"
        " language='eng-GB').first()\n"
        "row.pk, row.item_id = None, '999999'\n"
        "row.save()"
    )
    assert item(parties, 999999).status_code == 200

    assert "the engine answered 202" in parties.site.manage("run_export")

    eventually(lambda: item(parties, 999999).status_code == 404, what="the stray item gone")
    assert len(articles(parties)) > 20
