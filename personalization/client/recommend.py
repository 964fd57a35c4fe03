"""Recommendations for a page: asked within the budget, safe to render, never an exception.

Reference `client-protocol.md` 6.6 to 6.9. When the engine is late, away or wrong, items of the configured
random types stand in, or nothing.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.http import HttpRequest

from config import http
from config.customers.signing import PARAMETER
from config.site_access import SiteAccess
from content.items import queries
from content.items.queries import Found
from content.items.types import item_types
from personalization.client import gateway, hooks, pages, reasons, visitor
from personalization.client.answers import (
    Recommendation,
    clean_text,
    recommendations_of,
    safe_uri,
)
from personalization.client.errors import EngineError
from personalization.client.hooks import Draft, recommendation_listener
from personalization.segments import queries as segments

logger = logging.getLogger("personalization")

DEFAULT_ATTRIBUTES = ("title", "name", "intro", "image", "uri")
DEFAULT_LIMIT = 3
# In place of ids: what the visitor did, which the engine looks up (reference 6.6).
HISTORY = frozenset({"CLICKED", "CONSUMED", "OWNS", "RATED", "BASKET"})
MAX_LIMIT = 50
MOST_SEGMENTS = 50  # that the engine takes in one call
LEAST_SECONDS = 0.02  # of the budget; with less left nothing is asked
SCENARIO = re.compile(r"[A-Za-z0-9_-]{1,64}")


def recommendations(
    request: HttpRequest,
    scenario: str,
    *,
    context: Any = None,
    limit: int | str = DEFAULT_LIMIT,
    attributes: Sequence[str] = DEFAULT_ATTRIBUTES,
    output_type_id: int | None = None,
    cross_content_type: bool | None = None,
    use_context_category_path: bool | None = None,
    recommend_category: bool | None = None,
    category_path: str = "",
    filters: Mapping[str, object] | None = None,
) -> list[Recommendation]:
    """Return at most ``limit`` (1 to 50) recommendations of ``scenario`` for this page and visitor.

    ``context``: what the visitor looks at, a page, a content id, a remote id or a list of them.
    ``filters``: further parameters of the engine; lists are joined with commas. The switches are sent as
    `true` or `false` where they are given (W-30). Empty when the page's
    site has no credentials.
    """
    site = pages.site_of(request)
    if site is None or not SCENARIO.fullmatch(str(scenario)):
        if site is not None:
            logger.warning("%r cannot be the name of a scenario; nothing is recommended.", scenario)
        return []
    draft = Draft(
        request=request,
        site=site,
        scenario=str(scenario),
        language=pages.language_of(request),
        limit=whole(limit),
        category_path=category_path,
        output_type_id=output_type_id,
        cross_content_type=cross_content_type,
        use_context_category_path=use_context_category_path,
        recommend_category=recommend_category,
        attributes=tuple(dict.fromkeys((*attributes, *needed(attributes), *mapped_fields(site)))),
        filters=filters or {},
    )
    add_context(draft, context)
    hooks.run(draft)
    return draft.items[: draft.limit]


def whole(limit: object) -> int:
    """A limit as templates give it, 1 to 50; what is no number counts as not given."""
    try:
        number = int(str(limit))
    except ValueError:
        logger.warning("limit must be a whole number; got %.80r, %d is used.", limit, DEFAULT_LIMIT)
        return DEFAULT_LIMIT
    return max(1, min(number, MAX_LIMIT))


def needed(attributes: Sequence[str]) -> Iterator[str]:
    """Attributes without which nothing can be shown (reference 6.7) and that are not asked for already."""
    if not {"title", "name"} & set(attributes):
        yield from ("title", "name")
    yield "uri"


def mapped_fields(site: SiteAccess) -> Iterator[str]:
    """The fields that stand in for `intro` and `image` of some type (`field.identifiers`)."""
    for slot in ("intro", "image"):
        yield from site.field_identifiers.get(slot, {}).values()


def with_mapped_fields(one: Recommendation, *, site: SiteAccess) -> Recommendation:
    """The recommendation with the intro and the image that the site's fields of its type hold."""
    kind = next((name for name, known in item_types().items() if known.id == one.item_type), "")
    maps = site.field_identifiers
    intro = one.attributes.get(maps.get("intro", {}).get(kind, ""), one.intro)
    image = one.attributes.get(maps.get("image", {}).get(kind, ""))
    return replace(one, intro=intro, image=one.image if image is None else safe_uri(image))


def add_context(draft: Draft, context: Any) -> None:
    """Put the ids, the type and the category of what the visitor looks at into the call."""
    given = context if isinstance(context, list | tuple) else [context]
    if codes := history_codes(given):
        draft.context = codes
        return
    found = [pages.item_of(draft.request, one, language=draft.language) for one in given]
    items = [item for item in found if item is not None]
    draft.context = [
        one if item is None else pages.wire_id(item, site=draft.site)
        for one, item in zip(given, found, strict=True)
        if item is not None or is_unknown_id(one, site=draft.site)
    ]
    if not items:
        return
    draft.context_type = items[0].item_type_id
    paths = items[0].category_paths
    if paths and not draft.category_path:
        draft.category_path = parent_path(paths[0])


def history_codes(given: Sequence[Any]) -> list[int | str]:
    """The codes of a context of codes, "OWNS,CLICKED" or a list of them; empty for anything else."""
    words = [word.strip() for one in given if isinstance(one, str) for word in one.split(",")]
    return [*words] if words and HISTORY.issuperset(words) else []


def is_unknown_id(given: Any, *, site: SiteAccess) -> bool:
    """Whether this is an id of the engine's that is no item here, such as one of another site's."""
    is_number = isinstance(given, int) and not isinstance(given, bool) and given > 0
    return is_number and not site.use_remote_id


def parent_path(path: str) -> str:
    """``/1/2/95/71/`` -> ``/1/2/95/``: the folder that an item lies in."""
    parts = [part for part in path.split("/") if part][:-1]
    return f"/{'/'.join(parts)}/" if parts else "/"


def query_of(draft: Draft) -> list[tuple[str, str]]:
    """The parameters of the call, in the order of reference 6.6; what is not known is left out."""
    pairs: list[tuple[str, object]] = [
        ("numrecs", draft.limit),
        ("contextitems", ",".join(str(one) for one in draft.context)),
        ("contenttype", draft.context_type),
        ("outputtypeid", None if draft.cross_content_type else draft.output_type_id),
        ("categorypath", draft.category_path),
        ("lang", draft.language),
        *(("attribute", attribute) for attribute in draft.attributes),
        *draft.filters.items(),
        ("usecontextcategorypath", draft.use_context_category_path),
        ("recommendCategory", draft.recommend_category),
        ("crosscontenttype", draft.cross_content_type),
    ]
    # Only what has no text is left out: 0 and false are values (W-29).
    return [(name, text) for name, value in pairs if (text := filter_text(value))]


def segments_of(draft: Draft, who: str) -> list[tuple[str, str]]:
    """The visitor's segments; none of who must not be followed, or where the page names some."""
    if who == visitor.NOBODY or "segments" in draft.filters:
        return []
    numbers = segments.of_request(draft.request).numbers[:MOST_SEGMENTS]
    return [("segments", ",".join(map(str, numbers)))] if numbers else []


def filter_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set):
        return ",".join(filter_text(one) for one in value)
    return "" if value is None else str(value)


@recommendation_listener(priority=hooks.ENGINE)
def ask_engine(draft: Draft) -> None:
    """Fill the list from the engine, while the time that a page may wait for engines lasts.

    The visitor waits for each block in turn: all of them share the budget, and an engine that left one
    without an answer is not asked again.
    """
    silent: set[str] = draft.request.__dict__.setdefault("_lodestar_silent_engines", set())
    left = settings.RECOMMENDATION_BUDGET_SECONDS - waited(draft.request)
    if draft.site.recommendation_endpoint in silent or left < LEAST_SECONDS:
        return
    begun = time.monotonic()
    who = visitor.visitor_of(draft.request)
    signature = visitor.signature_of(draft.site, who)
    try:
        document = gateway.recommend(
            draft.site,
            visitor=who,
            scenario=draft.scenario,
            query=[
                *query_of(draft),
                *segments_of(draft, who),
                *([(PARAMETER, signature)] if signature else []),
            ],
            budget=left,
        )
    except EngineError as error:
        # 409: this visitor has no history yet. That is no fault.
        log = logger.debug if error.status == 409 else logger.warning
        log("No recommendations of %s: %s", draft.scenario, error)
        if error.status is None:
            silent.add(draft.site.recommendation_endpoint)
        return
    finally:
        draft.request._lodestar_waited = waited(draft.request) + time.monotonic() - begun  # type: ignore[attr-defined]
    found = recommendations_of(document, hosts=engine_hosts(draft.site))
    host = draft.request.get_host()
    found = [
        with_mapped_fields(with_own_links(one, host=host), site=draft.site)
        for one in found
        if one.uri and one.title
    ]
    draft.items = reasons.explain(found, request=draft.request, site=draft.site, language=draft.language)


def waited(request: HttpRequest) -> float:
    """Seconds that this page has waited for engines."""
    return float(getattr(request, "_lodestar_waited", 0.0))


def engine_hosts(site: SiteAccess) -> frozenset[str]:
    addresses = (site.event_endpoint, site.recommendation_endpoint)
    return frozenset(urlsplit(address).netloc.lower() for address in addresses if address)


def with_own_links(one: Recommendation, *, host: str) -> Recommendation:
    """Links to this installation fit a page that is open under ``host``, one of its names."""
    return replace(
        one, click_url=fitting(one.click_url, host=host), rendered_url=fitting(one.rendered_url, host=host)
    )


def fitting(url: str, *, host: str) -> str:
    own = http.seen_from(f"http:{url}" if url.startswith("//") else url, host=host) if url else None
    if own is None:
        return url
    parts = urlsplit(url)
    return own + (f"{parts.path}?{parts.query}" if parts.query else parts.path)


@recommendation_listener(priority=hooks.FALLBACK)
def fall_back(draft: Draft) -> None:
    """Fill an empty list with random visible items of the configured types (reference 6.8)."""
    site = pages.wagtail_site_of(draft.request)
    if draft.items or not draft.site.random_item_types or site is None:
        return
    # A few more, because what the visitor looks at already is left out.
    most = draft.limit + len(draft.context)
    rows = random_rows(site.pk, draft.site.random_item_types, language=draft.language, limit=most)
    seen = {str(one) for one in draft.context}
    found = [from_row(row, site=draft.site) for row in rows]
    draft.items = [one for one in found if one.item_id not in seen][: draft.limit]


def random_rows(site_id: int, types: Sequence[str], *, language: str, limit: int) -> list[Found]:
    """Items from anywhere in the types, each equally likely (W-36)."""
    return queries.by_chance(site_id, types, language=language, limit=limit)


def from_row(row: Found, *, site: SiteAccess) -> Recommendation:
    """A recommendation made of our own copy of the item, without feedback links."""
    fields = orjson.loads(row.payload)
    text = {key: clean_text(value) for key, value in fields.items() if isinstance(value, str)}
    found = Recommendation(
        item_id=str(pages.wire_id(row, site=site)),
        item_type=row.item_type_id,
        title=text.get("title") or text.get("name", ""),
        uri=safe_uri(row.uri),
        image=safe_uri(str(fields.get("image") or "")),
        intro=text.get("intro", ""),
        attributes=text,
        is_fallback=True,
    )
    return with_mapped_fields(found, site=site)
