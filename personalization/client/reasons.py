"""Why something is recommended, in a sentence for the visitor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson
from django.http import HttpRequest
from django.utils.translation import gettext

from config.site_access import SiteAccess
from content.items import queries
from personalization.client import pages
from personalization.client.answers import Origin, Recommendation, clean_text

# What the engine gives as the source of an item, by what the visitor did.
VIEWED = ("CLICK", "CLICKED", "CONSUME", "CONSUMED")
BOUGHT = ("BUY", "OWNS")
BASKET = ("BASKET",)
RATED = ("RATE", "RATED")


def explain(
    items: Sequence[Recommendation], *, request: HttpRequest, site: SiteAccess, language: str
) -> list[Recommendation]:
    """Add the reason to every item whose origin is known to us; at most one query for all of them."""
    titles = titles_of(
        {one.origin.item_ids[0] for one in items if one.origin and has_sentence(one.origin)},
        request=request,
        site=site,
        language=language,
    )
    return [replace(one, reason=reason_of(one, titles=titles)) for one in items]


def reason_of(one: Recommendation, *, titles: dict[str, str]) -> str:
    """The sentence for one item; "" when its origin is the page itself or not known."""
    if one.origin is None or not one.origin.item_ids:
        return ""
    title = titles.get(one.origin.item_ids[0], "")
    return sentence(one.origin.source, title=title) if title else ""


def sentence(source: str, *, title: str) -> str:
    if source in VIEWED:
        return gettext("Because you viewed %(title)s") % {"title": title}
    if source in BOUGHT:
        return gettext("Because you bought %(title)s") % {"title": title}
    if source in BASKET:
        return gettext("Because you put %(title)s into your basket") % {"title": title}
    if source in RATED:
        return gettext("Because you rated %(title)s") % {"title": title}
    return ""


def has_sentence(origin: Origin) -> bool:
    """Whether the origin is told; that of the page itself (REQUEST) goes without saying."""
    return bool(origin.item_ids) and origin.source in {*VIEWED, *BOUGHT, *BASKET, *RATED}


def titles_of(ids: set[str], *, request: HttpRequest, site: SiteAccess, language: str) -> dict[str, str]:
    """Id as the engine writes it -> title of the item in our own content."""
    served = pages.wagtail_site_of(request)
    if not ids or served is None:
        return {}
    if site.use_remote_id:
        found = (queries.find_by_remote_id(served.pk, one, language) for one in sorted(ids))
        return {row.remote_id: title_of(row.payload) for row in found if row is not None}
    numbers = sorted(int(one) for one in ids if one.isascii() and one.isdigit() and len(one) < 19)
    rows = queries.find_many(served.pk, numbers, [language])
    return {str(row.content_id): title_of(row.payload) for row in rows}


def title_of(payload: bytes) -> str:
    fields = orjson.loads(payload)
    return clean_text(str(fields.get("title") or fields.get("name") or ""))
