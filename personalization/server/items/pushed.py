"""Items as the item API takes them, in XML (engine-protocol.md 2.2, 2.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from django.conf import settings

from personalization.contracts import MAX_ITEM_TYPE
from personalization.server.items import ids
from personalization.server.items.mapping import KEY, MAX_PATH, MAX_URL, MAX_VALUE, Columns, category_paths
from personalization.server.items.xml import MINOR_DIGITS

MAX_ITEMS = 10_000
PATHS = "categorypaths/categorypath"
MAX_ATTRIBUTES = 1_000
AMOUNT = re.compile(r"[0-9]{1,15}")
CURRENCY = re.compile(r"[A-Z]{3}")
LANGUAGE = re.compile(r"[A-Za-z]{3}-[A-Za-z]{2}")
NUMBER = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?")
TYPES = ("NOMINAL", "NUMERIC", "TEXT", "DATE", "DATETIME")
CHILDREN = {
    *("description", "price", "validfrom", "validto", "categorypaths", "content", "attributes", "imageurls"),
    *("deeplinkurl", "categoryids"),
}


class Wrong(ValueError):
    """A document that cannot be taken; the message names the item, the rule and the value."""


def read(root: Element, *, alphanumeric: bool) -> list[tuple[str, Columns]]:
    """Language and columns of every item of the document. Raises :class:`Wrong` for any that is wrong."""
    if len(root) > MAX_ITEMS:
        raise Wrong(f"At most {MAX_ITEMS} items are taken at once; got {len(root)}.")
    return [item(one, f"Item {number}", alphanumeric=alphanumeric) for number, one in enumerate(root, 1)]


def item(given: Element, place: str, *, alphanumeric: bool) -> tuple[str, Columns]:
    """One item: only its type and id are a must."""
    if given.tag != "item":
        raise Wrong(f"{place}: inside items stand item elements; got {given.tag[:80]!r}.")
    unknown = next((child.tag for child in given if child.tag not in CHILDREN), None)
    if unknown is not None:
        raise Wrong(f"{place}: the element {unknown[:80]!r} is unknown.")
    language = given.get("lang", "")
    if language and not LANGUAGE.fullmatch(language):
        raise Wrong(f"{place}: lang must be a code such as eng-GB; got {language[:16]!r}.")
    price, currency = price_of(given, place)
    columns = Columns(
        item_type=whole(given.get("type", ""), f"{place}: type"),
        item_id=checked_id(given.get("id", ""), place, alphanumeric=alphanumeric),
        description=text_of(given, "description")[:MAX_VALUE],
        uri=text_of(given, "deeplinkurl")[:MAX_URL],
        image=next((word(one)[:MAX_URL] for one in given.iterfind("imageurls/imageurl")), ""),
        price=price,
        currency=currency,
        valid_from=moment(given, "validfrom", place),
        valid_to=moment(given, "validto", place),
        category_paths=category_paths(
            [path_of(one, place) for one in given.iterfind("categorypaths/categorypath")]
        ),
        content=[list(one) for one in contents(given, place)],
        attributes=[list(one) for one in attributes(given, place)],
    )
    return language, columns


def whole(value: str, name: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and 1 <= int(value) <= MAX_ITEM_TYPE):
        raise Wrong(f"{name} must be a whole number from 1 to {MAX_ITEM_TYPE}; got {value[:80]!r}.")
    return int(value)


def checked_id(value: str, place: str, *, alphanumeric: bool) -> str:
    try:
        return ids.checked(value, alphanumeric=alphanumeric, name="id")
    except ids.BadId as fault:
        raise Wrong(f"{place}: {fault}.") from None


def word(given: Element) -> str:
    return (given.text or "").strip()


def text_of(given: Element, name: str) -> str:
    found = given.find(name)
    return "" if found is None else word(found)


def price_of(given: Element, place: str) -> tuple[Decimal | None, str]:
    """The price of one unit from an amount in the currency's fractional unit: 123 EUR is 1.23."""
    found = given.find("price")
    if found is None:
        return None, ""
    currency = found.get("currency", "EUR")
    if not CURRENCY.fullmatch(currency):
        raise Wrong(f"{place}: the currency must be three capital letters; got {currency[:16]!r}.")
    if not AMOUNT.fullmatch(word(found)):
        raise Wrong(
            f"{place}: price must be a whole number in the smallest unit of {currency};"
            f" got {word(found)[:40]!r}."
        )
    return Decimal(word(found)).scaleb(-MINOR_DIGITS.get(currency, 2)), currency


def moment(given: Element, name: str, place: str) -> datetime | None:
    """A time without a zone, in that of the account."""
    value = text_of(given, name)
    if not value:
        return None
    try:
        if not MOMENT.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value).replace(tzinfo=ZoneInfo(settings.TIME_ZONE)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Wrong(
            f"{place}: {name} must look like 2011-01-01T00:00:00, without a zone; got {value[:40]!r}."
        ) from None


def path_of(given: Element, place: str) -> str:
    path = word(given)
    if "\\" in path or len(path) > MAX_PATH:
        raise Wrong(
            f"{place}: a categorypath has at most {MAX_PATH} characters, none a backslash; got {path[:80]!r}."
        )
    return path


def contents(given: Element, place: str) -> Iterator[tuple[str, str]]:
    """Key and text of every content-data."""
    for one in given.iterfind("content/content-data"):
        key = one.get("key", "")
        if not KEY.fullmatch(key):
            raise Wrong(f"{place}: the key of content-data has letters, digits and _; got {key[:80]!r}.")
        yield key, (one.text or "").replace("\x00", "")[:MAX_VALUE]


def attributes(given: Element, place: str) -> Iterator[tuple[str, str, str]]:
    """Key, type and value. What has a wrong key or no number for a NUMERIC is left out, as 2.3 says."""
    found = given.findall("attributes/attribute")
    if len(found) > MAX_ATTRIBUTES:
        raise Wrong(f"{place}: at most {MAX_ATTRIBUTES} attributes are taken; got {len(found)}.")
    for one in found:
        key, kind, value = one.get("key", ""), one.get("type", "NOMINAL"), one.get("value")
        if kind not in TYPES:
            raise Wrong(f"{place}: an attribute's type is one of {', '.join(TYPES)}; got {kind[:40]!r}.")
        if value and KEY.fullmatch(key) and FITS.get(kind, anything)(value):
            yield key, kind, value[:MAX_VALUE]


def anything(_value: str) -> bool:
    return True


FITS: dict[str, Callable[[str], bool]] = {"NUMERIC": lambda value: NUMBER.fullmatch(value) is not None}
