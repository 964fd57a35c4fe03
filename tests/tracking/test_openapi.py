"""The OpenAPI document of the tracking API ..."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from tests.tracking.conftest import KNOWN, NOW
from tracking.collector import answers, intake
from tracking.collector.path import PREFIXES
from tracking.events import RULES, SPELLINGS
from tracking.fields import PRINTABLE, BadEvent
from tracking.openapi import document, page, responses

DOCUMENT: dict[str, Any] = json.loads(json.dumps(document.document()))
ADDRESSES = [address for address in DOCUMENT["paths"] if not address.endswith("/events")]
# A time of the past needs a signature over the whole request, which no schema can say.
SIGNED = {"overridetimestamp", "signature"}
LOGINS = {"login", "transfer"}
Schema = dict[str, Any]
fuzz = limits(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_it_is_a_valid_openapi_document() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_it_has_every_event_name_parameter_prefix_and_answer() -> None:
    assert {address.split("/")[2] for address in DOCUMENT["paths"]} == {*SPELLINGS, "events"}
    for rule in RULES.values():
        for code in (rule.code, *rule.aliases):
            [path] = [item for address, item in DOCUMENT["paths"].items() if address.split("/")[2] == code]
            names = {resolved(one)["name"] for one in path["get"]["parameters"]}
            assert names == {parameter.name for parameter in rule.by_name.values()}, code
            bodies = path["post"]["requestBody"]["content"].values()
            assert all(set(resolved(body["schema"])["properties"]) == names for body in bodies), code
    [server] = DOCUMENT["servers"]
    assert set(server["variables"]["prefix"]["enum"]) == {prefix.decode() for prefix in PREFIXES}
    assert set(responses.REFUSED) == set(answers.CODES)
    for item in DOCUMENT["paths"].values():
        assert {"get", "head", "post", "options"} & set(item) == allowed(item)
    told = {204, 200, 400, 401, 403, 404, 405, 413, 414, 415, 429, 500, 503}
    assert told <= {int(status) for status in DOCUMENT["paths"][ADDRESSES[0]]["post"]["responses"]}


def allowed(item: Schema) -> set[str]:
    """The methods that a preflight of this address is told."""
    target = "/api/00000/click/u/1/2" if "get" in item else "/api/00000/events"
    found = intake.accept(target.encode(), method="OPTIONS", headers={}, find=KNOWN.get)
    return set(dict(found.answer.headers)["Allow"].lower().split(", "))


def test_its_words_of_signatures_are_those_of_the_intake() -> None:
    unsigned = "/api/00000/click/u/1/2?overridetimestamp=2012-01-01T11:00:00&signature=" + "0" * 32
    assert status_of("GET", unsigned) == 400
    assert "signature of a time" in responses.REFUSED[400]
    assert "time" not in responses.REFUSED[403]


def resolved(node: Schema) -> Schema:
    while "$ref" in node:
        found: Schema = DOCUMENT
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def test_it_is_served_to_everybody_and_says_when_it_has_not_changed(client: Client) -> None:
    answer = client.get("/api/schema/tracking.json", headers={"host": "localhost"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer.json() == DOCUMENT
    known = {"host": "localhost", "if-none-match": answer["ETag"]}
    assert client.get("/api/schema/tracking.json", headers=known).status_code == 304
    assert client.post("/api/schema/tracking.json", headers={"host": "localhost"}).status_code == 405


def test_it_is_printed_and_written_by_a_command(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    call_command("openapi", "tracking")
    assert json.loads(capsys.readouterr().out) == DOCUMENT
    call_command("openapi", "tracking", "--format", "markdown", "--output", str(tmp_path / "events.md"))
    assert (tmp_path / "events.md").read_text() == page.page()
    with pytest.raises(CommandError, match="could not be written"):
        call_command("openapi", "tracking", "--output", str(tmp_path / "none" / "events.md"))


# --- requests made from the schema ---


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """What a schema allows."""
    schema = resolved(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "array":
            return st.lists(values(schema["items"]), min_size=schema["minItems"], max_size=20)
    if "maxLength" not in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    letters = st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\\")
    # Lengths are characters here and bytes there, so stay well below; the ends are tested below.
    return st.text(letters, min_size=schema.get("minLength", 0), max_size=min(schema["maxLength"], 200))


def for_customer(schema: Schema, customer: str) -> Schema:
    """Which of the spellings of an item id the customer takes: numbers, or texts."""
    schema = resolved(schema)
    if "anyOf" in schema:
        one, other = schema["anyOf"]
        # Of a text and a list of them take the list.
        if "anyOf" in one:
            return for_customer(other, customer)
        return other if customer == "strings" else one
    if schema.get("type") == "array":
        return schema | {"items": for_customer(schema["items"], customer)}
    return schema


def written(value: Any) -> str:
    """A part of a path; a list is joined by commas (style simple)."""
    return ",".join(map(written, value)) if isinstance(value, list) else quote(str(value), safe="")


@st.composite
def requests(draw: st.DrawFn, *, without: frozenset[str] = frozenset()) -> tuple[str, str, bytes, str]:
    """Method, target, body and kind of body of a request that keeps to the document."""
    customer = draw(st.sampled_from(["00000", "strings"]))
    prefix = draw(st.sampled_from(DOCUMENT["servers"][0]["variables"]["prefix"]["enum"]))
    address = draw(st.sampled_from(ADDRESSES))
    item = DOCUMENT["paths"][address]
    for part in map(resolved, item["parameters"]):
        schema = for_customer(part["schema"], customer)
        value = customer if part["name"] == "customerid" else draw(values(schema))
        address = address.replace(f"{{{part['name']}}}", written(value))
    _prefix, _customer, code, *subject = address.split("/")
    assume(code not in LOGINS or subject[0] != subject[1])
    method = draw(st.sampled_from(["get", "post"]))
    parts = {one["name"]: one for one in map(resolved, item["get"]["parameters"])}
    sent = {
        name: draw(values(one["schema"]))
        for name, one in parts.items()
        if name not in without and (one["required"] or draw(st.booleans()))
    }
    target = f"/{prefix}{address}"
    if method == "get":
        return "GET", f"{target}?{urlencode(sent)}", b"", ""
    kind = draw(st.sampled_from(sorted(item["post"]["requestBody"]["content"])))
    body = json.dumps(sent) if kind.endswith("json") else urlencode(sent)
    return "POST", target, body.encode(), kind


def status_of(method: str, target: str, body: bytes = b"", kind: str = "") -> int:
    headers = {"content-type": kind} if kind else {}
    try:
        found = intake.accept(
            target.encode(), method=method, headers=headers, body=body, find=KNOWN.get, now=NOW
        )
    except BadEvent as reason:
        return reason.status
    return found.answer.status


@given(request=requests(without=frozenset(SIGNED)))
@fuzz
def test_its_requests_are_accepted(request: tuple[str, str, bytes, str]) -> None:
    expected = 414 if len(request[1]) > 8_000 else 204
    assert status_of(*request) == expected


@given(request=requests())
@fuzz
def test_its_requests_never_meet_an_unknown_address(request: tuple[str, str, bytes, str]) -> None:
    assert status_of(*request) in (204, 400, 401, 403, 414)


@given(data=st.data())
@fuzz
def test_its_batches_are_accepted(data: st.DataObject) -> None:
    customer = data.draw(st.sampled_from(["00000", "strings"]))
    choices = resolved({"$ref": "#/components/schemas/Event"})["oneOf"]
    sent = []
    for place in data.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=5)):
        event = resolved(place)
        wanted = {
            name: for_customer(schema, customer)
            for name, schema in event["properties"].items()
            if name in event["required"] or (name not in SIGNED and data.draw(st.booleans()))
        }
        sent.append({name: data.draw(values(schema)) for name, schema in wanted.items()})
    body = json.dumps(sent).encode()
    found = intake.accept(
        f"/api/{customer}/events".encode(),
        method="POST",
        headers={"content-type": "application/json"},
        body=body,
        find=KNOWN.get,
        now=NOW,
    )
    results = json.loads(found.answer.body)["results"]
    refused = [one for one in results if one["status"] != 204]
    assert all("must differ" in one["message"] for one in refused), refused


# --- just outside of what the schema allows ---


def outside(schema: Schema) -> Iterator[str]:
    """Values that miss the schema by one."""
    if schema["type"] == "integer":
        yield from (str(schema["minimum"] - 1), str(schema["maximum"] + 1), "1.5", "")
        return
    if "enum" in schema:
        yield from ("", "XQZ", schema["enum"][0].lower(), schema["enum"][0] * 2)
    elif "maxLength" in schema:
        yield "a" * (schema["maxLength"] + 1)
        yield "a\x01"
        if schema.get("minLength"):
            yield ""
    elif "pattern" in schema:
        numbers = map(int, re.findall(r"(\d+)\}", schema["pattern"]))
        yield from ("", "é", "\u0661", "1" * (max(numbers, default=1) + 1))


def parameters() -> Iterator[Any]:
    for address in ADDRESSES:
        for one in map(resolved, DOCUMENT["paths"][address]["get"]["parameters"]):
            yield pytest.param(address, one, id=f"{address.split('/')[2]}-{one['name']}")


def test_it_names_the_currencies_that_there_are() -> None:
    buy = {
        one["name"]: one["schema"]
        for one in DOCUMENT["paths"]["/{customerid}/buy/{userid}/{itemtypeid}/{itemid}"]["get"]["parameters"]
        if "name" in one
    }
    price, currency = buy["fullprice"]["pattern"], buy["currency"]["enum"]
    assert re.match(price, "2.50EUR")
    assert not re.match(price, "2.50XQZ")
    assert "EUR" in currency
    assert "XQZ" not in currency


def good_address(address: str) -> str:
    """The address with a value in each place."""
    filled = address.replace("{customerid}", "00000").replace("{sourceuserid}", "other")
    return "/api" + re.sub(r"\{\w+\}", "1", filled)


@pytest.mark.parametrize(("address", "parameter"), [*parameters()])
def test_it_refuses_what_is_just_out_of_range(address: str, parameter: Schema) -> None:
    others = [
        (one["name"], one["schema"]["examples"][0])
        for one in map(resolved, DOCUMENT["paths"][address]["get"]["parameters"])
        if one["required"] and one is not parameter
    ]
    schema, name = resolved(parameter["schema"]), parameter["name"]
    wrong = list(outside(schema))
    assert wrong
    for value in wrong:
        target = f"{good_address(address)}?{urlencode([*others, (name, value)])}"
        assert status_of("GET", target) == 400, value
    if parameter["required"]:
        assert status_of("GET", f"{good_address(address)}?{urlencode(others)}") == 400
    if name not in SIGNED:
        for value in schema["examples"]:
            assert status_of("GET", f"{good_address(address)}?{urlencode([*others, (name, value)])}") == 204


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_refuses_parts_of_the_path_just_out_of_range(address: str) -> None:
    required = [
        (one["name"], one["schema"]["examples"][0])
        for one in map(resolved, DOCUMENT["paths"][address]["get"]["parameters"])
        if one["required"]
    ]
    assert status_of("GET", f"{good_address(address)}?{urlencode(required)}") == 204
    for part in map(resolved, DOCUMENT["paths"][address]["parameters"]):
        schema = for_customer(part["schema"], "00000")
        if part["name"] == "customerid":
            continue
        if schema["type"] == "array":
            wrong = ["0", "1,2147483648", ",".join(map(str, range(1, schema["maxItems"] + 2)))]
        elif schema["type"] == "integer":
            wrong = [str(schema["minimum"] - 1), str(schema["maximum"] + 1)]
        else:
            wrong = ["a" * (schema["maxLength"] + 1), "a\\b"]
        for value in wrong:
            target = good_address(address.replace(f"{{{part['name']}}}", quote(value, safe=",")))
            assert status_of("GET", f"{target}?{urlencode(required)}") == 400, (part["name"], value[:50])


def test_its_examples_of_the_page_are_accepted() -> None:
    examples = re.findall(r"`(/api/10101/[^`]+)` \|", page.page())
    assert len(examples) == len(RULES)
    for target in examples:
        assert status_of("GET", target.replace("10101", "00000")) == 204, target


def test_its_rule_of_printable_texts_is_never_stricter_than_the_parser() -> None:
    pattern = re.compile(PRINTABLE)
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert [c for c in letters if c.isprintable() and c != "\\" and not pattern.match(c)] == []
