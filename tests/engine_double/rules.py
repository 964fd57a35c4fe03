"""What a notification must look like; the first fault is told in a sentence."""

from __future__ import annotations

import re
from typing import Any

FULL_KEYS = ["action", "format", "contentTypeId", "contentTypeName", "lang", "uri", "credentials"]
ITEM_KEYS = ["action", "format", "uri", "itemId", "contentTypeId", "lang", "credentials"]
LANGUAGE = re.compile(r"[a-z]{3}-[A-Z]{2}")


def fault_of(document: Any) -> str:
    """ "" for a notification that keeps to the reference."""
    if not isinstance(document, dict) or list(document) != ["transaction", "events"]:
        return "a notification has the keys transaction and events, in this order"
    events = document["events"]
    if not isinstance(events, list) or not events:
        return "events must be a list with at least one event"
    full = {event.get("action") == "FULL" for event in events if isinstance(event, dict)}
    if len(full) != 1:
        return "a notification is of full exports or of items, never of both"
    if full == {True} and not re.fullmatch(r"\d{17}", str(document["transaction"])):
        return "the transaction of a full export has 17 digits"
    if full == {False} and document["transaction"] is not None:
        return "the transaction of changed items is null"
    return next((fault for event in events if (fault := fault_of_event(event))), "")


def fault_of_event(event: Any) -> str:
    if not isinstance(event, dict):
        return "an event is an object"
    full = event.get("action") == "FULL"
    keys = FULL_KEYS if full else ITEM_KEYS
    if list(event) != keys:
        return f"an event of {event.get('action')} has the keys {keys}, got {list(event)}"
    if event["action"] not in ("FULL", "UPDATE", "DELETE") or event["format"] != "EZ":
        return f"action or format is unknown: {event['action']}, {event['format']}"
    if not isinstance(event["contentTypeId"], int) or not LANGUAGE.fullmatch(event["lang"]):
        return "contentTypeId is a number, lang a code such as eng-GB"
    uris = event["uri"] if full else [event["uri"]]
    if not isinstance(uris, list) or not all(str(uri).startswith("http") for uri in uris):
        return "uri is a list of addresses for a full export, one address for an item"
    if not isinstance(event["credentials"], dict) or not event["credentials"].get("token"):
        return "credentials hold a token"
    return ""
