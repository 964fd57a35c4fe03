"""Why something is recommended, in a sentence for the visitor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson
from django.utils.translation import gettext

from config import site_access
from config.site_access import SiteAccess
from content.items import queries
from personalization.client.answers import Recommendation, clean_text


def explain(items: Sequence[Recommendation], *, site: SiteAccess, language: str) -> list[Recommendation]:
    """Add the reason to every item whose origin is known to us; one query for all of them."""
    titles = titles_of(
        {one.origin.item_ids[0] for one in items if one.origin and one.origin.item_ids},
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
    if source in ("CLICK", "CLICKED", "CONSUME", "CONSUMED"):
        return gettext("Because you viewed %(title)s") % {"title": title}
    if source in ("BUY", "OWNS"):
        return gettext("Because you bought %(title)s") % {"title": title}
    if source == "BASKET":
        return gettext("Because you put %(title)s into your basket") % {"title": title}
    if source in ("RATE", "RATED"):
        return gettext("Because you rated %(title)s") % {"title": title}
    return ""


def titles_of(ids: set[str], *, site: SiteAccess, language: str) -> dict[str, str]:
    """Id as the engine writes it -> title of the item in our own content."""
    site_id = site_access.wagtail_site_id(site)
    if not ids or site_id is None:
        return {}
    if site.use_remote_id:
        found = (queries.find_by_remote_id(site_id, one, language) for one in sorted(ids))
        return {row.remote_id: title_of(row.payload) for row in found if row is not None}
    numbers = sorted(int(one) for one in ids if one.isascii() and one.isdigit() and len(one) < 19)
    rows = queries.find_many(site_id, numbers, [language])
    return {str(row.content_id): title_of(row.payload) for row in rows}


def title_of(payload: bytes) -> str:
    fields = orjson.loads(payload)
    return clean_text(str(fields.get("title") or fields.get("name") or ""))
