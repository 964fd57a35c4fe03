"""Items whose values are strings, as older engines know them. Reference `client-protocol.md` 5.2."""

from __future__ import annotations

from typing import Any

import orjson

from content.items.payload import SYSTEM_KEYS, exported
from content.items.types import ItemType, item_types
from content.items.values import is_markup


def with_strings(payload: bytes) -> bytes:
    """The stored item with the value of each field as a string; the keys of the item itself stay typed.

    Rich text stands in CDATA markers, lists are joined with commas, nothing is "", yes and no are "1", "0".
    """
    item = orjson.loads(payload)
    kind = item_types().get(item.get("identifier", ""))
    marked = markup_fields(kind) if kind else frozenset()
    for name in item.keys() - set(SYSTEM_KEYS):
        text = as_text(item[name])
        item[name] = cdata(text) if name in marked else text
    return orjson.dumps(item)


def cdata(text: str) -> str:
    """The text in CDATA markers; an end marker inside of it is divided between two."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def markup_fields(kind: ItemType) -> frozenset[str]:
    """The exported fields that hold HTML."""
    names = {field.name for field in kind.model._meta.get_fields() if is_markup(field)}
    return frozenset(name for name, attribute in exported(kind) if attribute in names)


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ",".join(as_text(one) for one in value)
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    return "" if value is None else str(value)
