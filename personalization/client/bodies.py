"""Stored items as bytes; only fields, remote ids and image variations make a change to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from config.site_access import SiteAccess
from content.items.by_number import Stored
from content.items.legacy import with_strings
from content.items.payload import SYSTEM_KEYS, with_remote_id
from content.items.pictures import in_variation, is_picture
from content.items.queries import Found

Item = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is made of stored items: only ``fields`` (None: all), pictures in ``variation`` ("": same).

    ``draws``: how many pictures that nobody asked for before may be drawn for it (None: all).
    """

    fields: frozenset[str] | None = None
    variation: str = ""
    draws: int | None = field(default=None, compare=False)


AS_STORED = Shape()


def bodies_of(found: Sequence[tuple[Found, SiteAccess]], *, shape: Shape) -> list[bytes]:
    """The items as JSON in this shape, with strings for values where their site asks for that."""
    bodies = shaped([stored(row, site=site) for row, site in found], shape=shape)
    return [
        with_strings(body) if site.legacy_strings else body
        for body, (_row, site) in zip(bodies, found, strict=True)
    ]


def bodies_of_rows(rows: Sequence[Stored], *, site: SiteAccess, shape: Shape) -> list[bytes]:
    """The same of one site's rows, in their order."""
    payloads = [bytes(payload) for _, _, _, payload in rows]
    if site.use_remote_id:
        payloads = [
            with_remote_id(payload, content_id=content_id, remote_id=remote_id)
            for payload, (content_id, _, remote_id, _) in zip(payloads, rows, strict=True)
        ]
    bodies = shaped(payloads, shape=shape)
    return [with_strings(body) for body in bodies] if site.legacy_strings else bodies


def shaped(payloads: list[bytes], *, shape: Shape) -> list[bytes]:
    """Stored payloads in this shape; as they are stored they stay the same bytes."""
    if shape == AS_STORED:
        return payloads
    items = [restricted(orjson.loads(payload), shape.fields) for payload in payloads]
    return [orjson.dumps(item) for item in in_pictures(items, shape=shape)]


def stored(row: Found, *, site: SiteAccess) -> bytes:
    if not site.use_remote_id:
        return row.payload
    return with_remote_id(row.payload, content_id=row.content_id, remote_id=row.remote_id)


def restricted(item: Item, fields: frozenset[str] | None) -> Item:
    if fields is None:
        return item
    return {key: value for key, value in item.items() if key in SYSTEM_KEYS or key in fields}


def in_pictures(items: list[Item], *, shape: Shape) -> list[Item]:
    """The items with another variation of their pictures, for all of them in two queries."""
    if not shape.variation:
        return items
    addresses = {picture for item in items for picture in pictures_of(item)}
    varied = in_variation(addresses, variation=shape.variation, most=shape.draws)
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
