"""The tracking API as an OpenAPI 3.1 document, from the rules that judge the events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracking.collector import batch
from tracking.collector.path import PREFIXES
from tracking.events import RULES, Rule
from tracking.openapi import responses, schemas

VERSION = "1.0.0"  # of the API, not of the program
BASIC = {"licenseKey": list[str]()}
# A customer decides whether it asks for the license key.
SECURITY = [{}, BASIC]
SUMMARY = (
    "Events of visitors, for pages, apps and servers. An event is one GET or POST request, or one of up to "
    f"{batch.MOST_EVENTS} in a batch. 204 (or 200) means that it is on disk. HEAD judges an event and stores "
    "nothing. Unknown parameters are ignored, repeated ones refused."
)


def document() -> dict[str, Any]:
    """The whole document, ready to be written as JSON. Addresses stand behind the prefix of the server."""
    paths = {address: item for rule in RULES.values() for address, item in paths_of(rule)}
    paths[f"/{{customerid}}/{batch.CODE.decode()}"] = batch_path()
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lodestar tracking API", "version": VERSION, "description": SUMMARY},
        "servers": [server()],
        "tags": [{"name": "events"}, {"name": "batches"}],
        "paths": paths,
        "components": {
            "parameters": schemas.shared_parameters(),
            "schemas": schemas.components(),
            "responses": responses.components(),
            "securitySchemes": {
                "licenseKey": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Customer id and license key, where the customer asks for them.",
                }
            },
        },
    }


def server() -> dict[str, Any]:
    older = sorted(prefix.decode() for prefix in PREFIXES - {b"api"})
    return {
        "url": "/{prefix}",
        "description": "The web port, or the collector's own port.",
        "variables": {
            "prefix": {
                "enum": ["api", *older],
                "default": "api",
                "description": "All but api are solution ids of old integrations.",
            }
        },
    }


def paths_of(rule: Rule) -> Iterator[tuple[str, dict[str, Any]]]:
    """An address for the code and for each of its other names."""
    names = [name for name, _description, _schema in schemas.subject(rule.shape)]
    for code in (rule.code, *rule.aliases):
        address = "/".join(["", "{customerid}", code, *(f"{{{name}}}" for name in names)])
        yield address, path_of(rule, code, names)


def path_of(rule: Rule, code: str, names: list[str]) -> dict[str, Any]:
    common = {
        "tags": ["events"],
        "summary": rule.meaning if code == rule.code else f"another name of {rule.code}: {rule.meaning}",
        "security": SECURITY,
    }
    return {
        "parameters": [reference("parameters", name) for name in ("customerid", *names)],
        "get": common
        | {
            "operationId": code,
            "parameters": schemas.query(rule),
            "responses": responses.of(*responses.EVENT),
        },
        "head": common
        | {
            "operationId": f"{code}_by_head",
            "description": "Judges the event as GET does and stores nothing; no answer has a body.",
            "parameters": schemas.query(rule),
            "responses": responses.of(*responses.EVENT),
        },
        "options": preflight(code, tag="events"),
        "post": common
        | {
            "operationId": f"{code}_by_post",
            "description": "The parameters may stand in the address as well, each of them once.",
            "requestBody": {
                "required": bool(rule.required),
                "content": {
                    kind: {"schema": reference("schemas", schemas.body_name(rule))} for kind in schemas.BODIES
                },
            },
            "responses": responses.of(*responses.EVENT, *responses.BODY),
        },
    }


def preflight(code: str, *, tag: str) -> dict[str, Any]:
    """What browsers ask before they send from a page of another origin."""
    return {
        "tags": [tag],
        "operationId": f"{code}_by_options",
        "summary": "which methods and headers a page of another origin may use",
        "responses": responses.of(*responses.PREFLIGHT),
    }


def batch_path() -> dict[str, Any]:
    line = {
        "type": "string",
        "description": "One event a line, as the schema Event says; a broken line is refused for itself.",
    }
    return {
        "servers": [{"url": "/api"}],
        "parameters": [reference("parameters", "customerid")],
        "options": preflight("events", tag="batches"),
        "post": {
            "tags": ["batches"],
            "operationId": "events",
            "summary": f"up to {batch.MOST_EVENTS} events in one request, each judged for itself",
            "description": "All good events of a request are committed together before the answer.",
            "security": SECURITY,
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": reference("schemas", "Batch")},
                    **{kind: {"schema": line} for kind in sorted(batch.NDJSON)},
                },
            },
            "responses": responses.of("200-batch", *responses.BATCH),
        },
    }


def reference(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
