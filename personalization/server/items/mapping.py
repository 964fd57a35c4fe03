"""From an item on the wire to the columns of the store (engine-protocol.md 2.3 and 2.6).

``publishedDate`` becomes valid-from, ``uri`` the deep link, ``image`` the preview picture, ``categoryPath``
the category paths; every field is an attribute of type TEXT besides, and ``author`` also one of type NOMINAL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from personalization.contracts import ContentItem, sentence_of
from personalization.server.items import ids

KEY = re.compile(r"[A-Za-z0-9_]{1,64}")
PRICE = re.compile(r"(\d{1,10}(?:\.\d{1,4})?)\s*([A-Z]{3})?")
# Objects that only link to other documents; they hold nothing to recommend by.
LINKS = {"mainLocation", "locations", "_media-type"}
# How exports call the product that a variant belongs to.
BASE_FIELDS = ("baseProduct", "base_product", "base_product_id")
MAX_URL = 2048
# With a day to spare: databases give a moment back in the time zone of the connection, and a datetime knows
# no year 0 and no year 10000.
EARLIEST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
MAX_VALUE = 100_000
MAX_PATH = 1024


class Rejected(ValueError):
    """An item that cannot be stored; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the store keeps of one item, apart from customer, language and bookkeeping."""

    item_type: int
    item_id: str
    type_identifier: str = ""
    description: str = ""
    uri: str = ""
    image: str = ""
    price: Decimal | None = None  # of one unit
    currency: str = ""  # ISO 4217
    base_id: str = ""  # of the product that it is a variant of
    valid_from: datetime | None = None  # empty: at once
    valid_to: datetime | None = None  # empty: for ever
    category_paths: list[str] = field(default_factory=list)  # without surrounding slashes
    attributes: list[list[str]] = field(default_factory=list)  # [key, type, value]
    content: list[list[str]] = field(default_factory=list)  # [key, text]


def columns_of(raw: Any, *, item_type: int, alphanumeric: bool) -> Columns:
    """Map one raw item. Raises :class:`Rejected` when it has no usable id or another type."""
    item = checked(raw, item_type=item_type)
    item_id = id_of(item, alphanumeric=alphanumeric)
    fields: dict[str, Any] = raw
    price, currency = price_of(fields)
    return Columns(
        item_type=item_type,
        item_id=item_id,
        type_identifier=text(item.identifier)[:64],
        uri=text(item.uri)[:MAX_URL],
        image=text(fields.get("image"))[:MAX_URL],
        price=price,
        currency=currency,
        base_id=base_id(fields),
        valid_from=moment(item.publishedDate),
        valid_to=moment(fields.get("validTo")),
        category_paths=category_paths(item.categoryPath),
        attributes=list(attributes(fields)),
    )


def checked(raw: Any, *, item_type: int) -> ContentItem:
    try:
        item = ContentItem.model_validate(raw)
    except ValidationError as fault:
        name = raw.get("contentId") if isinstance(raw, dict) else type(raw).__name__
        sentence = sentence_of(fault.errors(include_url=False)[0])
        raise Rejected(f"Item {repr(name)[:80]}: {sentence}"[:300]) from None
    if item.contentTypeId != item_type:
        raise Rejected(
            f"Item {item.contentId[:80]}: contentTypeId is {item.contentTypeId}, "
            f"but this import brings the type {item_type}."
        )
    return item


def id_of(item: ContentItem, *, alphanumeric: bool) -> str:
    try:
        return ids.checked(item.contentId, alphanumeric=alphanumeric, name="contentId")
    except ids.BadId as fault:
        raise Rejected(f"Item {item.contentId[:80]!r}: {fault}.") from None


def attributes(fields: dict[str, Any]) -> Iterator[list[str]]:
    """[key, type, value] of every field that has a value, in the order of the source."""
    for key, value in fields.items():
        if key in LINKS or not KEY.fullmatch(key):
            continue
        for one in values_of(value):
            yield [key, "TEXT", one]
            if key == "author":
                yield [key, "NOMINAL", one]


def base_id(fields: dict[str, Any]) -> str:
    """The id of the product that an item is a variant of, "" for an item of its own."""
    return next((found[:255] for name in BASE_FIELDS if (found := text(fields.get(name)).strip())), "")


def values_of(value: Any) -> Iterator[str]:
    """The single texts of a field; empty ones and nested objects are left out."""
    if isinstance(value, list):
        for one in value:
            if not isinstance(one, list):
                yield from values_of(one)
        return
    as_text = text(value)
    if as_text:
        yield as_text[:MAX_VALUE]


def text(value: Any) -> str:
    """A scalar as text; true and false as in JSON, everything else empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # PostgreSQL cannot store NUL, XML cannot show it.
        return value.replace("\x00", "")
    return str(value) if isinstance(value, int | float) else ""


def category_paths(value: Any) -> list[str]:
    """ "/1/2/95/" or a list of such -> ["1/2/95"], each once, in their order; too long ones are left out."""
    given = value if isinstance(value, list) else [value]
    stripped = [text(path).strip("/") for path in given if isinstance(path, str)]
    return list(dict.fromkeys(path for path in stripped if 0 < len(path) <= MAX_PATH))


def price_of(fields: dict[str, Any]) -> tuple[Decimal | None, str]:
    """Price of one unit and its currency, from ``price`` ("12.45", 12.45 or "12.45EUR") and ``currency``."""
    match = PRICE.fullmatch(text(fields.get("price")).strip())
    if match is None:
        return None, ""
    currency = match[2] or text(fields.get("currency")).strip().upper()
    try:
        return Decimal(match[1]), currency if re.fullmatch(r"[A-Z]{3}", currency) else "EUR"
    except InvalidOperation:
        return None, ""


def moment(value: Any) -> datetime | None:
    """A time stamp in ISO 8601 or seconds since 1970, in UTC; nothing where it cannot be read."""
    try:
        if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit()):
            read = datetime.fromtimestamp(int(value), UTC)
        else:
            read = datetime.fromisoformat(value)
            read = read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return read if EARLIEST <= read <= LATEST else None
