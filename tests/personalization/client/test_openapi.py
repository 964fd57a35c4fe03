"""The OpenAPI document of the content REST is true, and both viewers show it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import get_resolver
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from personalization import contracts
from personalization.client import tokens
from personalization.client.openapi.document import document
from personalization.client.urls import urlpatterns

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file", "export_root")]
DOCUMENT: dict[str, Any] = json.loads(json.dumps(document()))
Schema = dict[str, Any]
fuzz = limits(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def resolved(node: Schema) -> Schema:
    while "$ref" in node:
        found: Schema = DOCUMENT
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def test_it_is_a_valid_openapi_document() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_it_has_every_address_that_is_answered() -> None:
    prefix = contracts.REST_PREFIX[1:] + "/"
    routes = {
        str(one.pattern).removeprefix(prefix) for one in urlpatterns if str(one.pattern).startswith(prefix)
    }
    described = {address.partition("{")[0].strip("/") for address in DOCUMENT["paths"]}
    answered = {route.partition("<")[0].strip("/") for route in routes} - {"exportDownload"}
    assert described == answered
    assert {server["url"] for server in DOCUMENT["servers"]} == set(contracts.REST_PREFIXES)


def values(schema: Schema) -> st.SearchStrategy[str]:
    if schema.get("type") == "integer":
        return st.integers(schema["minimum"], schema["maximum"]).map(str)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].replace("$", "\\Z"), fullmatch=True)
    letters = st.characters(codec="utf-8", exclude_categories=("C",), exclude_characters="/\\?#%")
    return st.text(letters, min_size=1, max_size=20).filter(lambda text: text.strip(". ") != "")


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, str], str]:
    """Address of the document, the address as it is asked, its query, and the media type to accept."""
    address = draw(st.sampled_from(sorted(DOCUMENT["paths"])))
    item = DOCUMENT["paths"][address]
    asked = address
    for part in item["parameters"]:
        known = st.sampled_from(["1", "2", "38", "38,39"]) if "pattern" in part["schema"] else st.nothing()
        asked = asked.replace(f"{{{part['name']}}}", draw(known | values(part["schema"])))
    offered = item["get"].get("parameters", [])
    query = {one["name"]: draw(values(one["schema"])) for one in offered if draw(st.booleans())}
    accept = draw(
        st.sampled_from(["", "application/json", "application/vnd.ibexa.api.ContentList+json", "text/css"])
    )
    return address, asked, query, accept


@given(request=requests())
@fuzz
def test_every_answer_is_one_of_the_document(
    request: tuple[str, str, dict[str, str], str], client: Client, make_items: Callable[..., None]
) -> None:
    from content.items.record import Item

    if not Item.objects.exists():
        make_items(3)
    address, asked, query, accept = request
    headers = {"Authorization": f"Bearer {tokens.mint(501)}"} | ({"Accept": accept} if accept else {})
    answer = client.get(contracts.REST_PREFIX + asked, query, headers=headers)
    responses = DOCUMENT["paths"][address]["get"]["responses"]
    assert str(answer.status_code) in responses, (asked, query, answer.content)
    told = resolved(responses[str(answer.status_code)])
    if "content" not in told:
        assert answer.content == b""
        return
    kind = answer["Content-Type"].partition(";")[0]
    schema = told["content"][kind]["schema"] | {"components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(json.loads(answer.content))


def test_it_is_served_and_printed(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    answer = client.get("/api/schema/content.json", headers={"host": "localhost"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == DOCUMENT
    known = {"host": "localhost", "if-none-match": answer["ETag"]}
    assert client.get("/api/schema/content.json", headers=known).status_code == 304
    assert client.get("/api/schema/nothing.json").status_code == 404
    call_command("openapi", "content")
    assert json.loads(capsys.readouterr().out) == DOCUMENT
    with pytest.raises(CommandError, match=r"docs/endpoints\.md"):
        call_command("openapi", "content", "--format", "markdown")


@pytest.mark.parametrize("path", ["/api/docs/content/", "/api/docs/content/read/", "/api/docs/tracking/"])
def test_its_viewers_come_from_our_own_origin(path: str, client: Client) -> None:
    answer = client.get(path, headers={"host": "localhost"})
    assert answer.status_code == 200
    html = answer.content.decode()
    assert 'data-schema="/api/schema/' in html
    assert "http://" not in html
    assert "https://" not in html
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self' 'nonce-" in policy
    assert ("'unsafe-inline'" in policy) == path.endswith("/read/"), "only where Redoc writes its styles"


def test_the_address_without_a_name_leads_to_the_first(client: Client) -> None:
    assert client.get("/api/docs/").status_code == 302
    assert client.get("/api/docs/nothing/").status_code == 404
    assert get_resolver().resolve("/api/docs/content/").url_name == "openapi-try"
