"""Items with all that the read model knows of them, each once, for who describes them elsewhere.

Other readers want a language; here an item comes in the first of the asked languages that it exists in.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.db import models
from wagtail.models import Page

from content.items import payload
from content.items.kinds import kind_of
from content.items.record import Item
from content.items.types import ItemType, item_types

PAGE = 500
COLUMNS = ("content_id", "language", "uri", "category_paths", "published_at", "updated_at", "payload")
FIRST_CATEGORY = 3  # depth of a page: above stand the root of all pages and the home of a language


class Complete(NamedTuple):
    """One item; ``languages``: all in which it exists, the one of this row first."""

    content_id: int
    language: str
    uri: str
    category_paths: Sequence[str]
    published_at: datetime
    updated_at: datetime
    payload: bytes
    languages: tuple[str, ...]


def stream_complete(
    site_id: int,
    item_type: str,
    languages: Sequence[str],
    *,
    first: int = 0,
    since: datetime | None = None,
) -> Iterator[Complete]:
    """Yield the visible items of a type in the order of their content ids, from ``first`` on.

    ``languages``: eng-GB form, the preferred first. ``since``: only those whose row changed then or later.
    Memory stays flat; an unknown item type has no rows.
    """
    kind = item_types().get(item_type)
    if kind is None:
        return
    ways = [_way(site_id, kind.id, language, first, place) for place, language in enumerate(languages)]
    for _, versions in groupby(heapq.merge(*ways, key=lambda way: way[:2]), key=lambda way: way[0]):
        rows = [row for _, _, row in versions]
        if since is None or rows[0][5] >= since:
            *columns, content = rows[0]
            yield Complete(*columns, bytes(content), tuple(row[1] for row in rows))  # type: ignore[call-arg]


def count_complete(
    site_id: int, item_type: str, languages: Sequence[str], *, since: datetime | None = None
) -> int:
    """About how many items :func:`stream_complete` yields: news of another language count too."""
    kind = item_types().get(item_type)
    if kind is None:
        return 0
    rows = Item.objects.filter(site_id=site_id, item_type_id=kind.id, language__in=languages, is_visible=True)
    if since is not None:
        rows = rows.filter(updated_at__gte=since)
    return rows.aggregate(number=models.Count("content_id", distinct=True))["number"] or 0


def field_kinds(item_type: ItemType) -> dict[str, str]:
    """The fields of a type by their names in the payload -> what kind each is, such as ``richtext``."""
    return {
        f"{payload.CLASH_PREFIX}{name}" if name in payload.SYSTEM_KEYS else name: kind_of(
            item_type.model, attribute
        )
        for name, attribute in payload.exported(item_type)
    }


def category_names(numbers: Collection[int]) -> dict[int, str]:
    """The titles of those steps of location paths that are categories; roots and homes are none."""
    rows = Page.objects.filter(pk__in=numbers, depth__gte=FIRST_CATEGORY)
    return dict(rows.values_list("pk", "title"))


def _way(
    site_id: int, type_id: int, language: str, first: int, place: int
) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
    """The rows of one language, with what they are sorted by: content id, then place of the language."""
    return ((row[0], place, row) for row in _rows(site_id, type_id, language, first))


def _rows(site_id: int, type_id: int, language: str, first: int) -> Iterator[tuple[Any, ...]]:
    """Keyset pages, each along the index: rows that change meanwhile neither shift nor lock anything."""
    group = Item.objects.filter(site_id=site_id, item_type_id=type_id, language=language, is_visible=True)
    while page := list(
        group.filter(content_id__gte=first).order_by("content_id").values_list(*COLUMNS)[:PAGE]
    ):
        yield from page
        first = page[-1][0] + 1
