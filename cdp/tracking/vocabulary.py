"""The events and parameters of the p-grammar (reference `cdp.md` 6.1): texts in, checked values out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cdp.profiles.interactions import MOST
from tracking import fields
from tracking.fields import BadEvent, shown

CUSTOM = "custom"  # an event of a name of the sender's own, which is its property "name"
KNOWN = (
    *("pageview", "visit", "basket", "buy", "itemclick", "contentvisit", "favorite", "search", "searchclick"),
    *("searchresult", "buy in store", "return in store", CUSTOM),
)
ABOUT_A_PRODUCT = frozenset({"visit", "buy", "itemclick", "contentvisit", "favorite", "searchclick"})
LONGEST = 255
MOST_PROPERTIES = 50
DEEPEST_CATEGORY = 50
AMOUNT = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,4})?\Z")
QUANTITY = fields.whole(1, 1_000_000)
ITEM_TYPE = fields.whole(1, fields.BIGGEST_ID)
SCENARIO = fields.text_of(64)


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """What an event says. Amounts are decimals in ``currency``; ``price`` is that of one unit."""

    event: str
    product_id: str = ""
    product_name: str = ""
    category: tuple[tuple[str, str], ...] = ()  # id and name of each, from the top
    brand: str = ""
    price: Decimal | None = None
    subtotal: Decimal | None = None
    quantity: int | None = None
    currency: str = ""
    order_id: str = ""
    basket: tuple[str, ...] | None = None  # the whole of it: "A-1:2" or "A-1"
    item_type: int | None = None
    scenario: str = ""
    lang: str = ""
    props: dict[str, Any] = field(default_factory=dict)

    @property
    def unit_price(self) -> Decimal | None:
        """Of one unit; from the subtotal where that alone was said, to four decimals."""
        if self.price is not None or self.subtotal is None:
            return self.price
        return (self.subtotal / (self.quantity or 1)).quantize(Decimal("0.0001"))


def read(event: str, params: Mapping[str, str]) -> Tracked:
    """``params``: names such as ``p2`` to texts; others become properties. Raises :class:`BadEvent` 400."""
    if event not in KNOWN:
        near = difflib.get_close_matches(event.lower()[:40], KNOWN, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(KNOWN)}"
        raise BadEvent(400, f"p1 must be a known event; got {shown(event)}{hint}")
    found = Tracked(event=event, **values(params), props=properties(params))
    if event in ABOUT_A_PRODUCT and not found.product_id:
        raise BadEvent(400, f"p2 (product id) must be given for {event}")
    if event == "basket" and not found.product_id and found.basket is None:
        raise BadEvent(400, "p2 (product id) or p10 (basket content) must be given for basket")
    refuse_more_than_fits(found)
    return found


def refuse_more_than_fits(found: Tracked) -> None:
    """What the units cost together is stored as well."""
    if found.price is not None and found.price * (found.quantity or 1) > MOST:
        raise BadEvent(
            400,
            f"p12 (price) times p13 (quantity) must be at most {MOST}; got {found.price} x {found.quantity}",
        )


def values(params: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: parse(parameter, params[parameter])
        for parameter, (name, parse) in PARAMETERS.items()
        if params.get(parameter, "") != ""
    }


def properties(params: Mapping[str, str]) -> dict[str, Any]:
    """What else came, as texts."""
    others = {n: v for n, v in params.items() if n not in PARAMETERS and v != ""}
    if len(others) > MOST_PROPERTIES:
        raise BadEvent(400, f"an event has at most {MOST_PROPERTIES} properties; got {len(others)}")
    return {property_name(name): text(name, value) for name, value in others.items()}


def property_name(name: str) -> str:
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise BadEvent(400, f"the name of a property must be 1 to 64 printable characters; got {shown(name)}")
    return name


def text(name: str, value: str) -> str:
    if len(value) > LONGEST or not value.isprintable():
        raise BadEvent(
            400, f"{shown(name)} must be at most {LONGEST} printable characters; got {shown(value)}"
        )
    return value


def amount(name: str, value: str) -> Decimal:
    if not AMOUNT.match(value):
        raise BadEvent(
            400,
            f"{name} must be an amount with a decimal point and at most 4 decimals: 2.50; got {shown(value)}",
        )
    return Decimal(value)


def category(name: str, value: str) -> tuple[tuple[str, str], ...]:
    """``Id#Name;Id#Name`` from the top; of a part that lacks one the other counts as both (T07)."""
    parts = [part for part in value.split(";") if part.strip("# ")]
    if "," in value or len(parts) > DEEPEST_CATEGORY or len(value) > 1_024 or not value.isprintable():
        raise BadEvent(
            400,
            f"{name} must be Id#Name;Id#Name, at most {DEEPEST_CATEGORY} parts and 1024 printable characters"
            f" and no comma; got {shown(value)}",
        )
    return tuple(one_category(name, part) for part in parts)


def one_category(name: str, part: str) -> tuple[str, str]:
    number, _, words = (piece.strip() for piece in part.partition("#"))
    number, words = number or words, words or number
    if "/" in number or "#" in words:
        raise BadEvent(400, f"{name} must be Id#Name, the id without a slash; got {shown(part)}")
    return number, words


def basket(name: str, value: str) -> tuple[str, ...]:
    """``A-1:2,B-7``: products with their quantity, 1 where it is not said; a semicolon separates too."""
    listed = tuple(part.strip() for part in value.replace(";", ",").split(",") if part.strip())
    for part in listed:
        product, colon, count = part.rpartition(":")
        if (colon and not (product and count.isascii() and count.isdigit())) or len(part) > LONGEST:
            raise BadEvent(400, f"{name} must be a list such as A-1:2,B-7; got {shown(part)}")
    if len(listed) > 500:
        raise BadEvent(400, f"{name} must name at most 500 products; got {len(listed)}")
    return listed


PARAMETERS = {
    "p2": ("product_id", text),
    "p3": ("product_name", text),
    "p4": ("category", category),
    "p5": ("subtotal", amount),
    "p8": ("brand", text),
    "p10": ("basket", basket),
    "p12": ("price", amount),
    "p13": ("quantity", QUANTITY.parse),
    "p21": ("order_id", text),
    "currency": ("currency", fields.CURRENCY.parse),
    "itemtype": ("item_type", ITEM_TYPE.parse),
    "scenario": ("scenario", SCENARIO.parse),
    "lang": ("lang", fields.text_of(16).parse),
}
