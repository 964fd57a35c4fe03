"""Stored items as bytes; only fields, remote ids and image variations make a change to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from config.site_access import SiteAccess
from content.items.payload import SYSTEM_KEYS, with_remote_id
from content.items.pictures import in_variation, is_picture
from content.items.queries import Found

Item = dict[str, Any]


def bodies_of(
    found: Sequence[tuple[Found, SiteAccess]], *, fields: frozenset[str] | None, variation: str
) -> list[bytes]:
    """The items as JSON with ``fields`` (None: all) and pictures in ``variation`` ("": as exported)."""
    payloads = [stored(row, site=site) for row, site in found]
    if fields is None and not variation:
        return payloads
    items = [restricted(orjson.loads(payload), fields) for payload in payloads]
    return [orjson.dumps(item) for item in in_pictures(items, variation=variation)]


def stored(row: Found, *, site: SiteAccess) -> bytes:
    if not site.use_remote_id:
        return row.payload
    return with_remote_id(row.payload, content_id=row.content_id, remote_id=row.remote_id)


def restricted(item: Item, fields: frozenset[str] | None) -> Item:
    if fields is None:
        return item
    return {key: value for key, value in item.items() if key in SYSTEM_KEYS or key in fields}


def in_pictures(items: list[Item], *, variation: str) -> list[Item]:
    """The items with another variation of their pictures, for all of them in two queries."""
    addresses = {picture for item in items for picture in pictures_of(item)} if variation else set()
    varied = in_variation(addresses, variation=variation)
    if not varied:
        return items
    return [{key: replaced(value, varied) for key, value in item.items()} for item in items]


def pictures_of(item: Item) -> Iterator[str]:
    for value in item.values():
        yield from filter(is_picture, value if isinstance(value, list) else [value])


def replaced(value: Any, varied: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [replaced(one, varied) for one in value]
    return varied.get(value, value) if is_picture(value) else value
