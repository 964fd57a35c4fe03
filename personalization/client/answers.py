"""An engine's answer to recommendations that are safe to render, whatever it contains.

Reference `client-protocol.md` 6.7. A hostile or broken engine can make a list shorter, never a page unsafe:
texts lose their markup, addresses are http, https or relative, links lead to the engine only.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.html import strip_tags

MAX_TEXT = 2000
MAX_ITEMS = 50
CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
UNSAFE_IN_URI = re.compile(r"[\x00-\x20\x7f\\\u2028\u2029]")
TITLE_KEYS = ("title", "name")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Why the engine chose an item: these items, seen in the request or in the visitor's history."""

    source: str  # REQUEST, CLICK, CONSUME, BUY, BASKET, RATE
    item_type: int
    item_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """One recommended item, ready to be shown. Empty strings stand for what is not known."""

    item_id: str
    item_type: int
    relevance: int = 0
    title: str = ""
    uri: str = ""
    image: str = ""
    intro: str = ""
    click_url: str = ""  # to call when it is clicked
    rendered_url: str = ""  # to call when it is seen
    origin: Origin | None = None
    reason: str = ""  # "Because you viewed ...", in the language of the page
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_fallback: bool = False  # stands in, because the engine had nothing or did not answer


def recommendations_of(document: Mapping[str, Any], *, hosts: frozenset[str]) -> list[Recommendation]:
    """Read the answer; entries without a usable id or address are left out.

    ``hosts``: host and port of the engine's addresses, to which alone feedback links may lead.
    """
    entries = document.get("recommendationItems")
    if not isinstance(entries, list):
        return []
    found = (
        recommendation_of(entry, hosts=hosts) for entry in entries[:MAX_ITEMS] if isinstance(entry, dict)
    )
    return [one for one in found if one is not None]


def recommendation_of(entry: Mapping[str, Any], *, hosts: frozenset[str]) -> Recommendation | None:
    item_id, item_type = entry.get("itemId"), entry.get("itemType")
    if not is_id(item_id) or not is_whole(item_type):
        return None
    raw = first_values(entry.get("attributes"))
    attributes = {key: clean_text(value) for key, value in raw.items()}
    links = entry.get("links")
    links = links if isinstance(links, dict) else {}
    relevance = entry.get("relevance")
    return Recommendation(
        item_id=str(item_id),
        item_type=int(item_type or 0),
        relevance=relevance if isinstance(relevance, int) else 0,
        title=next((attributes[key] for key in TITLE_KEYS if attributes.get(key)), ""),
        uri=safe_uri(raw.get("uri", "")),
        image=safe_uri(raw.get("image", "")),
        intro=attributes.get("intro", ""),
        click_url=engine_link(links.get("clickRecommended"), hosts=hosts),
        rendered_url=engine_link(links.get("rendered"), hosts=hosts),
        origin=origin_of(entry.get("origin")),
        attributes=attributes,
    )


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_id(value: Any) -> bool:
    return (is_whole(value) and value > 0) or (isinstance(value, str) and 0 < len(value) <= 255)


def first_values(attributes: Any) -> dict[str, str]:
    """The first value of each attribute; some engines write ``value`` in place of ``values``."""
    found: dict[str, str] = {}
    for entry in attributes if isinstance(attributes, list) else []:
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            continue
        values = entry.get("values", entry.get("value"))
        first = values[0] if isinstance(values, list) and values else values
        if isinstance(first, str | int | float) and not isinstance(first, bool):
            found.setdefault(entry["key"], str(first)[:MAX_TEXT])
    return found


def clean_text(value: str) -> str:
    """Plain text: CDATA markers and tags removed, entities decoded, blanks collapsed.

    Tags are removed again after decoding, because ``&lt;b&gt;`` hides one.
    """
    text = CDATA.sub("", value)
    text = html.unescape(strip_tags(text))
    return " ".join(strip_tags(text).split())


def safe_uri(value: str) -> str:
    """Return the address if a browser would fetch it over http or from this site, else ""."""
    uri = html.unescape(CDATA.sub("", value)).strip()
    if not uri or UNSAFE_IN_URI.search(uri) or uri.startswith("//"):
        return ""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    if parts.scheme:
        return uri if parts.scheme.lower() in ("http", "https") and parts.hostname else ""
    return uri if uri.startswith("/") else ""


def engine_link(value: Any, *, hosts: frozenset[str]) -> str:
    """Return a feedback link if it leads to the engine, else ""."""
    if not isinstance(value, str) or len(value) > MAX_TEXT or UNSAFE_IN_URI.search(value):
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    if parts.scheme not in ("", "http", "https") or parts.netloc.lower() not in hosts:
        return ""
    return value


def origin_of(value: Any) -> Origin | None:
    if not isinstance(value, dict) or not isinstance(value.get("source"), str):
        return None
    item_type, ids = value.get("itemType"), value.get("itemIds")
    if not isinstance(item_type, int) or not isinstance(ids, list):
        return None
    return Origin(
        source=value["source"].upper()[:20],
        item_type=item_type,
        item_ids=tuple(str(one) for one in ids[:MAX_ITEMS] if is_id(one)),
    )
