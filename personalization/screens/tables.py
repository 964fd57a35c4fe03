"""The tables below the charts: popular items, and the revenue in detail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import formats, timezone
from django.utils.translation import gettext

from personalization.screens.charts import said
from personalization.server.models import StoredItem
from personalization.server.statistics.report import Report, rounded


def popular(customer_id: str, found: Report) -> list[dict[str, Any]]:
    """The most clicked items that were clicked at all, with what they are called."""
    rows = [row for row in found.popular if row["clicked"] or row["followed"]]
    names = names_of(customer_id, rows)
    return [
        row
        | {"name": names.get((row["item_type"], row["item_id"]), ("", ""))}
        | {key: said(row[key]) for key in ("rendered", "clicked", "followed")}
        for row in rows
    ]


def names_of(customer_id: str, rows: list[dict[str, Any]]) -> dict[tuple[int, str], tuple[str, str]]:
    """By type and id: the name of the item and of its type, in any one language."""
    wanted = Q(pk=None)
    for row in rows:
        wanted |= Q(item_type=row["item_type"], item_id=row["item_id"])
    items = StoredItem.objects.filter(wanted, customer_id=customer_id).order_by("-language")
    return {(one.item_type, one.item_id): (called(one), one.type_identifier) for one in items}


def called(item: StoredItem) -> str:
    known = {key: value for key, _kind, value in item.attributes}
    return str(known.get("title") or known.get("name") or item.description)[:120]


def purchases(found: Report) -> list[dict[str, str]]:
    """The newest first; what was paid stays in its currency."""
    return [
        {
            "followed": gettext("%(moment)s (%(minutes)s min)")
            % {
                "moment": moment(row["followed_at"]),
                "minutes": formats.number_format(row["minutes"]),
            },
            "item": f"{row['item_type']}/{row['item_id']}",
            "price": paid(row, found.revenue.currency),
        }
        for row in found.details
    ]


def moment(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def paid(row: dict[str, Any], currency: str) -> str:
    if row["amount"] is None:
        return gettext("%(pieces)s × no price") % {"pieces": row["pieces"]}
    return gettext("%(pieces)s × %(price)s = %(amount)s %(currency)s") % {
        "pieces": said(row["pieces"]),
        "price": said(float(rounded(row["price"])), "money"),
        "amount": said(float(rounded(row["amount"])), "money"),
        "currency": row["currency"] or currency,
    }
