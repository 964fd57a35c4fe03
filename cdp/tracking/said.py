"""What a tag is told -> parameters of the p-grammar.

``data``: a page or another item, its id, a mapping (of ``p2`` and the like, or of words: ``id``, ``name``,
``price`` ...), or a list of these, each a line of the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from cdp.tracking import vocabulary
from cdp.tracking.sent import scalar
from config.site_access import SiteAccess
from personalization.client import pages, recommend
from tracking.fields import BadEvent, shown

WORDS = {
    "id": "p2",
    "product_id": "p2",
    "sku": "p2",
    "name": "p3",
    "title": "p3",
    "category": "p4",
    "category_identifier": "p4",
    "subtotal": "p5",
    "brand": "p8",
    "basket_content": "p10",
    "price": "p12",
    "quantity": "p13",
    "stock": "p15",
    "order_id": "p21",
    "item_type": "itemtype",
}
# Of older templates.
SPELLINGS = {
    "categoryIdentifier": "category_identifier",
    "basketContent": "basket_content",
    "basketId": "basket_id",
    "orderId": "order_id",
}


def lines(
    request: HttpRequest, event: str, data: Any, options: Mapping[str, Any], *, site: SiteAccess
) -> list[dict[str, str]]:
    """One mapping of parameters for every event. Raises :class:`BadEvent`."""
    if event not in vocabulary.KNOWN:
        vocabulary.read(event, {})
    shared = worded(options)
    each = data if isinstance(data, list | tuple) else [data]
    if not each:
        raise BadEvent(400, f"{event} must be told of at least one product; got an empty list")
    return [about(request, one, site=site) | shared for one in each]


def worded(given: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name, value in given.items():
        name = SPELLINGS.get(name, name)
        text = scalar(name, str(value) if isinstance(value, Decimal) else value)
        if text:
            found[WORDS.get(name, name)] = text
    return found


def about(request: HttpRequest, data: Any, *, site: SiteAccess) -> dict[str, str]:
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return worded(data)
    item = pages.item_of(request, data, language=pages.language_of(request))
    if item is not None:
        path = recommend.parent_path(item.category_paths[0]) if item.category_paths else ""
        ids = [part for part in path.split("/") if part]
        found = {
            "p2": str(pages.wire_id(item, site=site)),
            "p3": "" if isinstance(data, str | int) else str(data)[: vocabulary.LONGEST],
            "p4": ";".join(f"{one}#{one}" for one in ids),
            "itemtype": str(item.item_type_id),
        }
        return {name: value for name, value in found.items() if value}
    if isinstance(data, str | int) and not isinstance(data, bool):
        return {"p2": str(data)}
    kind = type(data).__name__
    what = "is not an item of this site" if isinstance(data, Model) else "cannot be tracked"
    raise BadEvent(400, f"an object of the type {shown(kind)} {what}; give an item, its id or a mapping")
