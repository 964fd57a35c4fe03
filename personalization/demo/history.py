"""The demo's past: simulated visits of the exported items, stored as events of their customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from config.site_access import SiteAccess
from content.demo.catalogue import entries
from content.demo.pages import translation_key
from content.demo.tastes import TASTES
from content.items import queries
from personalization.demo.visitors import DemoItem, Plan, Visit, simulate
from tracking import replay


def store_history(site: SiteAccess, *, until: datetime, plan: Plan) -> int:
    """Simulate the visitors of one site up to ``until``; returns how many events were stored."""
    items = list(demo_items(site))
    visits = simulate(items, until=until, plan=plan)
    events = (event_of(visit, currency=plan.currency, number=n) for n, visit in enumerate(visits))
    return replay.store(str(site.customer_id), events).stored


def demo_items(site: SiteAccess) -> Iterator[DemoItem]:
    """The items of a site that the demo made, with the affinity of each taste to them."""
    drawn_to = {
        str(translation_key(entry.key)): tuple(taste.affinity(entry) for taste in TASTES)
        for entry in entries()
    }
    site_id = queries.site_for(site.root)
    languages = list(site.languages) or queries.languages(site_id)
    for group in queries.groups(site_id, site.included_item_types, languages[:1]):
        rows = queries.stream_payloads(site_id=site_id, item_type=group.item_type, language=group.language)
        for row in rows:
            if row.remote_id not in drawn_to:
                continue
            fields: dict[str, Any] = orjson.loads(row.payload)
            paths = fields["categoryPath"]
            yield DemoItem(
                kind=group.item_type,
                item_type=group.item_type_id,
                item_id=row.remote_id if site.use_remote_id else str(row.content_id),
                folder=paths if isinstance(paths, str) else paths[0],
                affinities=drawn_to[row.remote_id],
                price=price_of(fields.get("price")),
            )


def price_of(value: Any) -> Decimal | None:
    """An exported price, with or without its currency."""
    digits = "".join(ch for ch in str(value or "") if ch.isdigit() or ch == ".")
    return Decimal(digits) if digits else None


def event_of(visit: Visit, *, currency: str, number: int) -> replay.HistoricEvent:
    paid = visit.event == "buy" and visit.price is not None
    return replay.HistoricEvent(
        event=visit.event,
        user=visit.visitor,
        ts=visit.at,
        item_type=visit.item_type,
        item_id=visit.item_id,
        quantity=visit.quantity,
        price=f"{visit.price:f}" if paid else None,
        currency=currency if paid else "",
        percentage=visit.percentage,
        rating=visit.rating,
        category_path=visit.category_path,
        # Building the same demo again must not double its past.
        event_id=f"demo-{number}",
    )
