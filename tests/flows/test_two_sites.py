"""Two sites of one installation with different customers, keys, hosts and languages, at the same time.

Once with the embedded engine and once with an engine that is a process of its own and shares no code with
us; what a test asks of them is the protocol, so that both must pass the same suite.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.engine_double.running import Running, running
from tests.flows.installation import Installation, eventually
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

ARTICLE = 39
KEYS = {"10101": "1111-2222-3333-4444-5555", "10102": "5555-4444-3333-2222-1111"}
LANGUAGES = {"10101": "eng-GB", "10102": "fre-FR"}
HOSTS = {"10101": "127.0.0.1", "10102": "localhost"}
REST = "/api/ibexa/v2/personalization/v1"
ENTRY = """
    site_{customer}:
      languages: [{language}]
      host_uri: http://{host}:{port}
      included_item_types: [place, article, product]
      authentication: {{ customer_id: {customer}, license_key: {key} }}
"""
API = """
    default:
      api:
        admin: {{ endpoint: "{engine}" }}
        recommendation: {{ endpoint: "{engine}" }}
        event_tracking: {{ endpoint: "{engine}" }}
        user: {{ endpoint: "{engine}" }}
"""
CHANGE = """
from content.models import ArticlePage
page = ArticlePage.objects.filter(locale__language_code={code!r}).live().order_by("pk")[2]
page.title = {title!r}
{act}
print(page.pk)
"""
PUBLISH, UNPUBLISH = "page.save_revision().publish()", "page.unpublish()"


@dataclass(frozen=True, kw_only=True)
class Sites:
    """The installation with both sites, and the engine that serves both customers."""

    installation: Installation
    engine: str  # base address
    double: Running | None = field(default=None)

    def items(self, customer: str, *, language: str, numrecs: int = 50) -> list[dict[str, Any]]:
        """What the engine recommends of the articles it has, with title and address."""
        query = {"numrecs": numrecs, "outputtypeid": ARTICLE, "lang": language, "attribute": "name,uri,title"}
        url = f"{self.engine}/api/v2/{customer}/{uuid4()}/recently_added.json"
        answer = requests.get(url, params=query, auth=(customer, KEYS[customer]), timeout=60)
        if answer.status_code != 200:
            return []
        found: list[dict[str, Any]] = answer.json()["recommendationItems"]
        return found

    def titles(self, customer: str) -> list[str]:
        found = self.items(customer, language=LANGUAGES[customer])
        named = (one for item in found for one in item["attributes"] if one["key"] in ("title", "name"))
        return [one["values"][0] for one in named if one["values"]]

    def change(self, customer: str, title: str, act: str = PUBLISH) -> None:
        code = {"eng-GB": "en", "fre-FR": "fr"}[LANGUAGES[customer]]
        self.installation.python(CHANGE.format(code=code, title=title, act=act))


@pytest.fixture(scope="module", params=["embedded", "a process of its own"])
def sites(
    request: pytest.FixtureRequest, demo_build: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sites]:
    folder: Path = tmp_path_factory.mktemp("two-sites")
    shutil.copytree(demo_build.var_dir, folder / "var")
    file = folder / "sites.yaml"
    here = Installation(var_dir=folder / "var", extra_env={"LODESTAR_SITES_FILE": str(file)})
    here.port = free_port()
    entries = "".join(
        ENTRY.format(
            customer=customer, language=LANGUAGES[customer], host=host, port=here.port, key=KEYS[customer]
        )
        for customer, host in HOSTS.items()
    )
    with running(folder, KEYS) as double:
        own = request.param == "embedded"
        addresses = "" if own else API.format(engine=double.base)
        file.write_text(f"personalization:\n  system:{addresses}{entries}")
        with here.serving():
            found = Sites(
                installation=here, engine=here.base if own else double.base, double=None if own else double
            )
            said = here.manage("run_export")
            assert said.count("the engine answered 202") == 2
            eventually(
                lambda: all(len(found.titles(one)) > 20 for one in KEYS), seconds=90, what="both exports"
            )
            yield found


def test_each_customer_has_the_items_of_its_own_language(sites: Sites) -> None:
    english, french = set(sites.titles("10101")), set(sites.titles("10102"))
    assert not english & french
    for customer, other in (("10101", "fre-FR"), ("10102", "eng-GB")):
        assert sites.items(customer, language=other) == [] or all(
            value["values"][0].startswith("/fr/") == (customer == "10102")
            for one in sites.items(customer, language=other)
            for value in one["attributes"]
            if value["key"] == "uri"
        )


@pytest.mark.parametrize(("changed", "other"), [("10101", "10102"), ("10102", "10101")])
def test_a_change_reaches_the_customer_that_shows_it(changed: str, other: str, sites: Sites) -> None:
    title = f"Only here {uuid4().hex[:8]}"
    sites.change(changed, title)
    eventually(lambda: title in sites.titles(changed), what="the new title")
    assert title not in sites.titles(other)
    sites.change(changed, title, UNPUBLISH)
    eventually(lambda: title not in sites.titles(changed), what="the article gone")
    sites.change(changed, title)
    eventually(lambda: title in sites.titles(changed), what="the article back")


def test_no_key_opens_what_is_anothers(sites: Sites) -> None:
    number = sites.items("10101", language="eng-GB")[0]["itemId"]
    url = f"{sites.engine}/api/10101/item/{ARTICLE}/{number}"
    assert requests.get(url, auth=("10101", KEYS["10101"]), timeout=60).status_code == 200
    for login in (("10101", KEYS["10102"]), ("10102", KEYS["10102"]), None):
        assert requests.get(url, auth=login, timeout=60).status_code == 401
    note = {"transaction": None, "events": []}
    answer = requests.post(
        f"{sites.engine}/api/10101/items", json=note, auth=("10101", KEYS["10102"]), timeout=60
    )
    assert answer.status_code == 401


def test_a_token_shows_the_content_of_its_own_customer(sites: Sites) -> None:
    for customer, other in (("10101", "10102"), ("10102", "10101")):
        token = sites.installation.manage("personalization_token", "--customer", customer).split()[-1]
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{sites.installation.base}{REST}/contenttypes/{ARTICLE}"
        own = requests.get(url, params={"lang": LANGUAGES[customer]}, headers=headers, timeout=60)
        assert {item["language"] for item in own.json()["contentList"]["content"]} == {LANGUAGES[customer]}
        foreign = requests.get(url, params={"lang": LANGUAGES[other]}, headers=headers, timeout=60)
        assert foreign.status_code == 204


@pytest.mark.parametrize("sites", ["a process of its own"], indirect=True)
def test_what_went_over_the_wire_keeps_to_the_reference(sites: Sites) -> None:
    """What only an engine of the test's own can tell; the embedded one has its history of imports."""
    double = sites.double
    assert double is not None
    assert double.facts("fault") == []
    assert [one["fault"] for one in double.facts("notification")] == [""] * len(double.facts("notification"))
    told = double.events()
    full = [(customer, event) for customer, event in told if event["action"] == "FULL"]
    assert {(customer, event["lang"]) for customer, event in full} == set(LANGUAGES.items())
    assert {(customer, event["contentTypeId"]) for customer, event in full} == {
        (customer, kind) for customer in KEYS for kind in (38, 39, 40)
    }
    for customer, event in told:
        assert event["lang"] == LANGUAGES[customer], "nobody hears of another language"
        for uri in [event["uri"]] if isinstance(event["uri"], str) else event["uri"]:
            assert uri.startswith(f"http://{HOSTS[customer]}:{sites.installation.port}/api/")
    fetched = double.facts("fetch")
    assert fetched
    for one in fetched:
        assert one["alike"], "token and login show the same bytes"
        assert set(one["statuses"].values()) <= {200, 204}
    cross_over(full)


def cross_over(full: list[tuple[str, dict[str, Any]]]) -> None:
    """Files of one customer's export with the credentials of the other's."""
    (_, first), (_, second) = (next(pair for pair in full if pair[0] == customer) for customer in KEYS)
    given = second["credentials"]
    login = base64.b64encode(f"{given['login']}:{given['password']}".encode()).decode()
    for header in (f"Bearer {given['token']}", f"Basic {login}"):
        answer = requests.get(first["uri"][0], headers={"Authorization": header}, timeout=60)
        assert answer.status_code == 401
