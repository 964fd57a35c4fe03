"""The demo's past: simulated visits of the exported items, stored as events of their customer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from config.site_access import SiteAccess
from content.demo.catalogue import entries
from content.demo.pages import translation_key
from content.demo.tastes import TASTES
from content.items import queries
from personalization.demo.visitors import FRONT, SCENARIOS, DemoItem, Plan, Visit, simulate
from personalization.server.models import CallCount
from tracking import replay

SESSION = timedelta(minutes=30)
A_LIST = 4  # items that the pages of the demo show


def store_history(site: SiteAccess, *, until: datetime, plan: Plan) -> int:
    """Simulate the visitors of one site up to ``until``; returns how many events were stored."""
    items = list(demo_items(site))
    visits = list(simulate(items, until=until, plan=plan))
    count_calls(str(site.customer_id), visits, {item.item_type: item.kind for item in items})
    events = (event_of(visit, currency=plan.currency, number=n) for n, visit in enumerate(visits))
    return replay.store(str(site.customer_id), events).stored


def count_calls(customer_id: str, visits: Iterable[Visit], kinds: dict[int, str]) -> None:
    """The calls for recommendations of the pages that were opened; none when they were counted before."""
    if CallCount.objects.filter(customer_id=customer_id).exists():
        return
    counted: Counter[tuple[str, datetime]] = Counter()
    last: dict[str, datetime] = {}
    for visit in visits:
        if visit.event != "click":
            continue
        hour = visit.at.replace(minute=0, second=0, microsecond=0)
        comes = visit.visitor not in last or visit.at - last[visit.visitor] > SESSION
        last[visit.visitor] = visit.at
        counted.update((one, hour) for one in ((FRONT,) if comes else ()) + SCENARIOS[kinds[visit.item_type]])
    CallCount.objects.bulk_create(
        CallCount(customer_id=customer_id, scenario=one, hour=hour, calls=n, delivered=n * A_LIST)
        for (one, hour), n in sorted(counted.items())
    )


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
        scenario=visit.scenario,
        # Building the same demo again must not double its past.
        event_id=f"demo-{number}",
    )
