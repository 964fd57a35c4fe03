"""Items as XML, in the shape of the example answer in seed `enable_personalization.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from django.conf import settings

from personalization.server.models import StoredItem

# Characters that XML 1.0 cannot contain, not even escaped.
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
IN_ATTRIBUTES = {'"': "&quot;", "\n": "&#xA;", "\r": "&#xD;", "\t": "&#x9;"}
# ISO 4217: decimal digits of the minor unit where it is not two (engine-protocol.md 2.2).
MINOR_DIGITS = dict.fromkeys(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ],
    0,
)
MINOR_DIGITS |= dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)


def items_document(rows: Iterable[StoredItem]) -> str:
    """The ``<items>`` document of these rows, one ``<item>`` each."""
    lines = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', '<items version="1">']
    for row in rows:
        lines += ["    " + line for line in item_lines(row)]
    return "\n".join([*lines, "</items>", ""])


def item_lines(row: StoredItem) -> Iterator[str]:
    yield f"<item id={attribute(row.item_id)} type={attribute(str(row.item_type))}>"
    if row.description:
        yield f"    <description>{content(row.description)}</description>"
    if row.image:
        yield "    <imageurls>"
        yield f'        <imageurl type="preview">{content(row.image)}</imageurl>'
        yield "    </imageurls>"
    if row.uri:
        yield f"    <deeplinkurl>{content(row.uri)}</deeplinkurl>"
    if row.price is not None:
        amount = minor_units(row.price, row.currency)
        yield f"    <price currency={attribute(row.currency)}>{amount}</price>"
    for name, moment in (("validfrom", row.valid_from), ("validto", row.valid_to)):
        if moment:
            yield f"    <{name}>{milliseconds(moment)}</{name}>"
    yield "    <categoryids/>"
    yield from block(
        "categorypaths", (f"<categorypath>{content(p)}</categorypath>" for p in row.category_paths)
    )
    yield from block("content", (content_line(*one) for one in row.content))
    yield from block("attributes", (attribute_line(*one) for one in row.attributes))
    yield "</item>"


def block(name: str, lines: Iterable[str]) -> Iterator[str]:
    inner = [f"        {line}" for line in lines]
    yield from ([f"    <{name}>", *inner, f"    </{name}>"] if inner else [f"    <{name}/>"])


def content_line(key: str, text: str) -> str:
    # The end of a section cannot stand in it: it is cut in two.
    safe = ILLEGAL.sub("", text).replace("]]>", "]]]]><![CDATA[>")
    return f"<content-data key={attribute(key)}><![CDATA[{safe}]]></content-data>"


def attribute_line(key: str, kind: str, value: str) -> str:
    return f"<attribute value={attribute(value)} key={attribute(key)} type={attribute(kind)}/>"


def attribute(value: str) -> str:
    return f'"{escape(ILLEGAL.sub("", value), IN_ATTRIBUTES)}"'


def content(value: str) -> str:
    return escape(ILLEGAL.sub("", value))


def milliseconds(moment: datetime) -> str:
    """Without a zone, in that of the account."""
    return (
        moment.astimezone(ZoneInfo(settings.TIME_ZONE)).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{moment.microsecond // 1000:03d}"
    )


def minor_units(price: Decimal, currency: str) -> int:
    """The price as an integer in the currency's fractional unit: 1.23 EUR -> 123."""
    return int((price.scaleb(MINOR_DIGITS.get(currency, 2))).to_integral_value())
