"""Schemas, answers and parameters that several addresses share."""

from __future__ import annotations

from typing import Any

from content.items.payload import SYSTEM_KEYS
from personalization import contracts
from personalization.client import asked
from personalization.client.formats import Format, in_form

Schema = dict[str, Any]

ID: Schema = {"type": "string", "pattern": f"^{asked.NUMBER.pattern}$"}
IDS: Schema = {"type": "string", "pattern": f"^{asked.NUMBER.pattern}(,{asked.NUMBER.pattern})*$"}
REMOTE_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 100}
LANGUAGES: Schema = {"type": "string", "pattern": "^[a-z]{3}-[A-Z]{2}(,[a-z]{3}-[A-Z]{2})*$"}
SUBTREE: Schema = {"type": "string", "pattern": f"^{asked.SUBTREE.pattern}$"}
FILE_PATH: Schema = {"type": "string", "minLength": 1}

SECURITY_SCHEMES: Schema = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a notification, or one made by `personalization_token`.",
    },
    "login": {
        "type": "http",
        "scheme": "basic",
        "description": "The login `token` with a token as its password, the login of an export run for its "
        "files, or the login that the sites file configures.",
    },
}
DESCRIPTIONS = {
    "400": "A parameter is wrong; the description names it, the rule and the value.",
    "401": "No credentials, wrong ones, expired or revoked ones.",
    "404": "There is no such file.",
    "406": "Neither JSON nor XML is accepted.",
}


def whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def parameter(name: str, schema: Schema, description: str, *, place: str = "query") -> Schema:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "schema": schema,
        "description": description,
    }


def reference(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def answers(*names: str) -> Schema:
    """Status -> answer; names are those of :func:`responses`."""
    codes = {"Items": "200", "File": "200", "Nothing": "204", "Unchanged": "304"}
    return {codes.get(name, name): reference("responses", name) for name in names}


def in_both_forms(media_type: str, schema: str) -> Schema:
    kinds = (in_form(media_type, form) for form in Format)
    return {kind: {"schema": reference("schemas", schema)} for kind in kinds}


def responses() -> Schema:
    etag = {"ETag": {"schema": {"type": "string"}, "description": "For If-None-Match."}}
    refused = {
        code: {"description": text, "content": in_both_forms(contracts.ERROR_MEDIA_TYPE, "ErrorMessage")}
        for code, text in DESCRIPTIONS.items()
    }
    refused["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return {
        "Items": {
            "description": "The items that there are.",
            "headers": etag,
            "content": in_both_forms(contracts.CONTENTLIST_MEDIA_TYPE, "ContentList"),
        },
        "Nothing": {"description": "Unknown, hidden or not in this language; no body."},
        "Unchanged": {"description": "As the caller has it; no body."},
        "File": {
            "description": "A page of items, as `ContentList`.",
            "content": {"application/json": {"schema": reference("schemas", "ContentList")}},
        },
        **refused,
    }


def schemas() -> Schema:
    text = {"type": "string"}
    link = {"type": "object", "properties": {"_media-type": text, "_href": text}, "required": ["_href"]}
    properties: Schema = dict.fromkeys(SYSTEM_KEYS, text) | {
        "contentId": {"type": ["integer", "string"], "description": "The remote id where the site uses it."},
        "contentTypeId": whole(1, contracts.MAX_ITEM_TYPE),
        "publishedDate": {"type": "string", "format": "date-time"},
        "categoryPath": {
            "type": ["string", "array"],
            "items": text,
            "description": "Several locations: a list.",
        },
        "mainLocation": link,
        "locations": link,
    }
    item = {
        "type": "object",
        "description": "The keys of every item, then the fields of its type.",
        "properties": properties,
        "required": list(SYSTEM_KEYS),
        "additionalProperties": True,
    }
    return {
        "Item": item,
        "ContentList": envelope(
            "contentList", {"content": {"type": "array", "items": reference("schemas", "Item")}}
        ),
        "ErrorMessage": envelope(
            "ErrorMessage",
            {"errorCode": {"type": "integer"}, "errorMessage": text, "errorDescription": text},
        ),
    }


def envelope(name: str, properties: Schema) -> Schema:
    inside = {
        "type": "object",
        "properties": {"_media-type": {"type": "string"}} | properties,
        "required": ["_media-type", *properties],
    }
    return {"type": "object", "properties": {name: inside}, "required": [name]}
