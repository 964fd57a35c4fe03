"""Reading one value of an event: a text in, a checked value out, or a sentence that says what is wrong.

Numbers are ASCII digits only: `int()` and `Decimal()` also take Arabic digits, `1_000`, ` 5` and `NaN`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tracking.currencies import CURRENCIES

BIGGEST_ID = 2_147_483_647
LONGEST_USER_BYTES = 1_024
LONGEST_ITEM_ID = 255

Parser = Callable[[str, str], "int | str"]
# What JSON Schema can say of :meth:`str.isprintable`, in words that JavaScript and Python read alike. A
# backslash is refused anywhere in a request.
PRINTABLE = r"^[^\\\u0000-\u001f\u007f-\u009f]*$"


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of value: how a text is read, and the same rule as JSON Schema for whoever sends it."""

    parse: Parser
    schema: Mapping[str, Any]
    bounds: str = ""  # in words, where the schema is long

    def __call__(self, name: str, text: str) -> int | str:
        return self.parse(name, text)


# Amount and currency of one unit. Ten and four digits survive SQLite's floating point unchanged.
PRICE = re.compile(r"([0-9]{1,10}(?:\.[0-9]{1,4})?)([A-Z]{3})\Z")
MINOR_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "XAF": 0, "XOF": 0, "XPF": 0, "PYG": 0}
MINOR_DIGITS |= {"UGX": 0, "RWF": 0, "KMF": 0, "GNF": 0, "DJF": 0, "BIF": 0, "VUV": 0}
MINOR_DIGITS |= {"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3}


class BadEvent(Exception):
    """A request that cannot become an event: the HTTP status, and a sentence for the sender."""

    def __init__(self, status: int, message: str, *, allow: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.allow = allow
        self.customer_id = ""  # once the request is known to be one of a customer


def shown(value: str) -> str:
    """A received value as a message may show it: short, one line, never HTML."""
    cut = value if len(value) <= 80 else value[:79] + "…"
    printable = "".join(c if c.isprintable() else "?" for c in cut)
    return f'"{html.escape(printable, quote=False)}"'


def bad(name: str, rule: str, value: str) -> BadEvent:
    return BadEvent(400, f"{name} must be {rule}; got {shown(value)}")


def is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def whole(low: int, high: int) -> Kind:
    """Whole numbers from ``low`` to ``high``."""

    def parse(name: str, text: str) -> int:
        if not is_digits(text) or len(text) > 12 or not low <= int(text) <= high:
            raise bad(name, f"{low} to {high}", text)
        return int(text)

    return Kind(parse, {"type": "integer", "minimum": low, "maximum": high})


def text_of(longest: int) -> Kind:
    """Printable text of 1 to ``longest`` characters."""

    def parse(name: str, text: str) -> str:
        if not 1 <= len(text) <= longest or not text.isprintable():
            raise bad(name, f"1 to {longest} printable characters", text)
        return text

    return Kind(parse, {"type": "string", "minLength": 1, "maxLength": longest, "pattern": PRINTABLE})


def matching(pattern: str, rule: str) -> Kind:
    """Texts that match ``pattern`` as a whole; ``rule`` says it in words."""
    whole_text = re.compile(rf"(?:{pattern})\Z")

    def parse(name: str, text: str) -> str:
        if not whole_text.match(text):
            raise bad(name, rule, text)
        return text

    return Kind(parse, {"type": "string", "pattern": f"^(?:{pattern})$"})


def category_path(name: str, text: str) -> str:
    """`/Cameras/` and `Cameras` are the same path; empty means none."""
    path = "/".join(part for part in text.split("/") if part)
    if len(path) > 1_024 or not path.isprintable():
        raise bad(name, "at most 1024 printable characters", text)
    return path


def price(name: str, text: str) -> str:
    """Amount and ISO 4217 currency, e.g. `2.50EUR`. Returned as it came; see :func:`split_price`."""
    found = PRICE.match(text)
    if found and found[2] in CURRENCIES:
        return text
    if " " in text:
        raise bad(name, "an amount and a currency with no space between: 2.50EUR", text)
    if "," in text:
        raise BadEvent(400, f"{name} must have a decimal point, use a point: 2.50EUR; got {shown(text)}")
    raise bad(name, "an amount with at most 4 decimals and an ISO 4217 currency: 2.50EUR", text)


def currency(name: str, text: str) -> str:
    if text not in CURRENCIES:
        raise bad(name, "an ISO 4217 code such as EUR", text)
    return text


CATEGORY_PATH = Kind(category_path, {"type": "string", "maxLength": 1_024, "pattern": PRINTABLE})
CURRENCY = Kind(
    currency, {"type": "string", "enum": sorted(CURRENCIES)}, bounds="a code of ISO 4217 that is in use"
)
PRICE_OF_UNIT = Kind(
    price,
    {
        "type": "string",
        "pattern": rf"^[0-9]{{1,10}}(?:\.[0-9]{{1,4}})?(?:{'|'.join(sorted(CURRENCIES))})$",
    },
    bounds="up to 10 digits, at most 4 decimals, and a code of ISO 4217",
)


def split_price(text: str) -> tuple[str, str]:
    """`2.50EUR` -> (`2.50`, `EUR`)."""
    return text[:-3], text[-3:]


def from_minor_units(amount: int, currency: str) -> str:
    """The deprecated `price=250&currency=EUR` as a decimal: `2.50`."""
    digits = MINOR_DIGITS.get(currency, 2)
    if not digits:
        return str(amount)
    return f"{amount // 10**digits}.{amount % 10**digits:0{digits}d}"


def item_id(text: str, *, alphanumeric: bool, name: str = "itemid") -> str:
    """An item id in its one spelling: numbers without leading zeros, strings as they are.

    ``name`` is for the message of the :class:`BadEvent`.
    """
    if is_digits(text) and len(text) <= 12 and not alphanumeric:
        if 1 <= int(text) <= BIGGEST_ID:
            return str(int(text))
        raise bad(name, f"1 to {BIGGEST_ID}", text)
    if not alphanumeric:
        if text.isascii() and text.isalnum() and not text.isdigit():
            raise BadEvent(
                400,
                f"{name} must be a number, string ids are not enabled for this customer; got {shown(text)}",
            )
        raise bad(name, f"1 to {BIGGEST_ID}", text)
    if not 1 <= len(text) <= LONGEST_ITEM_ID or not text.isprintable():
        raise bad(name, f"1 to {LONGEST_ITEM_ID} printable characters", text)
    return text
