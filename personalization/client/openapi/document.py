"""Paths of the content REST, from the rules that judge its requests. Reference `client-protocol.md` 4."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from personalization import contracts
from personalization.client import asked
from personalization.client.openapi import parts
from personalization.client.openapi.parts import parameter

VERSION = "1.0.0"  # of the API, not of the program
SUMMARY = (
    "What an engine fetches from a site: items one by one, in lists and by type, and files of full exports. "
    "A notification names the addresses and carries the token that opens them. HEAD is answered as "
    "GET, other methods with 405."
)
SECURITY = [{"token": list[str]()}, {"login": list[str]()}]


def document() -> dict[str, Any]:
    """The whole document. Addresses stand behind the prefix of the server."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lodestar content API", "version": VERSION, "description": SUMMARY},
        "servers": [{"url": prefix} for prefix in contracts.REST_PREFIXES],
        "tags": [{"name": "items"}, {"name": "files"}],
        "security": SECURITY,
        "paths": dict([*item_paths(), *type_paths(), *file_paths()]),
        "components": {
            "schemas": parts.schemas(),
            "responses": parts.responses(),
            "securitySchemes": parts.SECURITY_SCHEMES,
        },
    }


def item_paths() -> list[tuple[str, dict[str, Any]]]:
    ids = parameter(
        "ids", parts.IDS, f"Content ids separated by commas, at most {asked.MAX_IDS}.", place="path"
    )
    one = parameter(
        "id", parts.ID, "The number of the item; several separated by commas do too.", place="path"
    )
    remote = parameter("remoteId", parts.REMOTE_ID, "The alphanumeric id of the item.", place="path")
    several = [
        (
            f"/{address}/{{ids}}",
            operation(f"items_by_{name}", "Items by their numbers, in the asked order", [ids]),
        )
        for address, name in (
            ("content/list", "list"),
            ("contentlist", "contentlist"),
            ("content", "content"),
        )
    ]
    return [
        ("/content/id/{id}", operation("item_by_id", "One item by its number", [one])),
        (
            "/content/remote-id/{remoteId}",
            operation("item_by_remote_id", "One item by its remote id, which may hold slashes", [remote]),
        ),
        *several,
    ]


def type_paths() -> list[tuple[str, dict[str, Any]]]:
    ids = parameter("ids", parts.IDS, "Numbers of item types separated by commas.", place="path")
    paging = [
        parameter("page", parts.whole(1, 10**9), "From 1."),
        parameter("page_size", parts.whole(1, asked.MAX_PAGE_SIZE), f"Default {asked.DEFAULT_PAGE_SIZE}."),
        parameter("path", parts.SUBTREE, "Only items below this location path, such as /1/2/95/."),
        parameter("sa", {"type": "string"}, "Only the site of this name in the sites file."),
    ]
    return [
        (
            "/contenttypes/{ids}",
            operation("items_by_type", "Items of types by page, type after type", [ids], more=paging),
        )
    ]


def operation(
    name: str, summary: str, path: list[dict[str, Any]], *, more: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    common = {
        "tags": ["items"],
        "summary": summary,
        "parameters": [*query(), *(more or [])],
        "responses": parts.answers("Items", "Nothing", "Unchanged", "400", "401", "406"),
    }
    return {"parameters": path, "get": common | {"operationId": name}}


def query() -> list[dict[str, Any]]:
    """The parameters that every address of items takes."""
    variations = ", ".join(sorted(settings.IMAGE_VARIATIONS))
    return [
        parameter("lang", parts.LANGUAGES, "Languages separated by commas; default those of the site."),
        parameter("fields", {"type": "string"}, f"Fields separated by commas, at most {asked.MAX_FIELDS}."),
        parameter(
            "image", {"type": "string"}, f"Variation of the pictures: {variations}. Others change nothing."
        ),
        parameter(
            "hidden", {"type": "string"}, "Changes nothing: what visitors cannot see is never answered."
        ),
    ]


def file_paths() -> list[tuple[str, dict[str, Any]]]:
    path = parameter("filePath", parts.FILE_PATH, "As the notification of the export names it.", place="path")
    common = {
        "tags": ["files"],
        "summary": "One file of a full export, byte for byte",
        "responses": parts.answers("File", "401", "404"),
    }
    return [
        (
            "/export/download/{filePath}",
            {
                "parameters": [path],
                "get": common | {"operationId": "export_file"},
            },
        )
    ]
