"""The only reader of the read model for other apps. Hidden items are found by none of these."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.db.models.functions import Cast
from wagtail.models import Site

from content.items import chance
from content.items.by_number import Stored, rows_by_number
from content.items.joined import Joined, joined_by_number
from content.items.reading import pages_of_rows
from content.items.record import Item
from content.items.types import item_types
from content.signals import ItemRef


class UnknownRoot(LookupError):
    """A `root` of the sites file that names no Wagtail site."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The items of one type in one language on one site; what an export writes one set of files for."""

    item_type: str
    item_type_id: int
    language: str
    count: int


class Row(NamedTuple):
    """One item of a stream; ``payload`` is the complete item as JSON."""

    content_id: int
    remote_id: str
    payload: bytes


@dataclass(frozen=True, kw_only=True)
class Found(ItemRef):
    """One item with the columns that others filter on."""

    uri: str
    category_paths: tuple[str, ...]
    published_at: datetime
    payload: bytes


def groups(
    site_id: int,
    types: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    *,
    subtree: str = "",
) -> list[Group]:
    """Return the groups that have items: types in the given order outside, languages inside.

    None means every declared type, every language of the site. Languages are in the eng-GB form.
    """
    names = {kind.id: kind.identifier for kind in item_types().values()}
    # Only columns of the index: the rows, which hold the payloads, are not read.
    rows = _below(_visible(site_id), subtree).values_list("item_type_id", "language")
    found = {
        (names[number], language): Group(
            item_type=names[number], item_type_id=number, language=language, count=count
        )
        for number, language, count in rows.annotate(count=models.Count("content_id")).order_by()
        if number in names
    }
    wanted_types = item_types() if types is None else types
    wanted_languages = sorted({language for _, language in found}) if languages is None else languages
    pairs = ((kind, language) for kind in wanted_types for language in wanted_languages)
    return [found[pair] for pair in dict.fromkeys(pairs) if pair in found]


def languages(site_id: int) -> list[str]:
    """Return the languages in which the site has items, eng-GB form, sorted."""
    return sorted(set(_visible(site_id).order_by().values_list("language", flat=True).distinct()))


def count(
    site_id: int, *, item_type: str | None = None, language: str | None = None, subtree: str = ""
) -> int:
    """Return the number of items; ``subtree`` is a location path such as "/1/3/"."""
    rows = _visible(site_id)
    if item_type is not None:
        rows = _of_type(rows, item_type)
    if language is not None:
        rows = rows.filter(language=language)
    return _below(rows, subtree).count()


def stream_payloads(
    *,
    site_id: int,
    item_type: str,
    language: str,
    after: int = 0,
    limit: int | None = None,
    subtree: str = "",
) -> Iterator[Row]:
    """Yield the items of a group in the order of their content ids, starting behind ``after``.

    ``subtree``: a location path such as "/1/3/" that they must have a location below.

    Memory stays flat: pages of 1,000 rows on a reading connection of its own. An unknown item type has
    no rows.
    """
    kind = item_types().get(item_type)
    if kind is None:
        return
    group = (site_id, kind.id, language)
    with closing(pages_of_rows(group, after=after, limit=limit, subtree=subtree)) as pages:
        for page in pages:
            for content_id, remote_id, payload in page:
                yield Row(content_id, remote_id, bytes(payload))


def find(site_id: int, content_id: int, language: str) -> Found | None:
    """Return one item by its number, or None."""
    return _first(_visible(site_id).filter(content_id=content_id, language=language))


def find_by_remote_id(site_id: int, remote_id: str, language: str) -> Found | None:
    """Return one item by its remote id, or None."""
    return _first(_visible(site_id).filter(remote_id=remote_id, language=language))


def find_many(
    site_id: int,
    content_ids: Collection[int],
    languages: Collection[str] | None = None,
    *,
    subtree: str = "",
) -> list[Found]:
    """Return the items that exist, in the order of ``content_ids``, then of ``languages``."""
    numbers = {content_id: place for place, content_id in enumerate(content_ids)}
    # The site is compared here: asked for both, SQLite walks all items of the site.
    rows = _below(Item.objects.filter(content_id__in=numbers, is_visible=True), subtree)
    if languages is not None:
        rows = rows.filter(language__in=languages)
    order = {language: place for place, language in enumerate(languages or ())}
    found = [_found(row) for row in rows if row.site_id == site_id]
    return sorted(found, key=lambda one: (numbers[one.content_id], order.get(one.language, 0), one.language))


def stored_many(site_id: int, content_ids: Sequence[int], languages: Sequence[str] = ()) -> list[Stored]:
    """Return the items that exist, in the order of ``content_ids``, then of ``languages`` (none: all)."""
    rows = rows_by_number(site_id, content_ids, languages)
    if len(languages) != 1:
        wanted = list(languages) or sorted({row[1] for row in rows})
        rows.sort(key=lambda row: wanted.index(row[1]))
    places = {content_id: place for place, content_id in enumerate(content_ids)}
    rows.sort(key=lambda row: places[row[0]])
    return rows


def joined(site_id: int, content_ids: Sequence[int], *, language: str = "") -> Joined:
    """Return the items that exist as one piece, in the order of ``content_ids``; "" is every language."""
    return joined_by_number(site_id, content_ids, language=language)


def list_page(
    site_id: int,
    *,
    item_type: str,
    language: str,
    page: int = 1,
    page_size: int = 10,
    subtree: str = "",
) -> list[Found]:
    """Return one page of a group in the order of content ids; pages count from 1."""
    group = _below(_of_type(_visible(site_id), item_type).filter(language=language), subtree)
    return _slice(group, start=(max(page, 1) - 1) * page_size, limit=page_size)


def list_across(
    groups: Sequence[tuple[int, Group]], *, start: int, limit: int, subtree: str = ""
) -> list[list[Found]]:
    """Return ``limit`` items from ``start`` on (from 0), groups one after the other, each by content id.

    ``groups``: the Wagtail site's id and a group of :func:`groups` with the same ``subtree``. The answer has
    a list for every group. Counted group by group, because one sorted query would sort the payloads too.
    """
    found: list[list[Found]] = []
    for site_id, group in groups:
        inside = min(start, group.count)
        start -= inside
        rows = _visible(site_id).filter(item_type_id=group.item_type_id, language=group.language)
        wanted = min(limit, group.count - inside)
        found.append(_slice(_below(rows, subtree), start=inside, limit=wanted) if wanted else [])
        limit -= wanted
    return found


def by_chance(site_id: int, types: Sequence[str], *, language: str, limit: int) -> list[Found]:
    """Return ``limit`` different items of the types, each equally likely, in no order."""
    groups = [_of_type(_visible(site_id), kind).filter(language=language) for kind in dict.fromkeys(types)]
    counts = [group.count() for group in groups]
    rows: list[Item] = []
    for group, count, share in zip(groups, counts, chance.draw(counts, limit), strict=True):
        if share:
            rows += group.filter(content_id__in=chance.numbers(group, count, share))
    random.shuffle(rows)
    return [_found(row) for row in rows]


def site_for(root: str) -> int:
    """Return the id of the Wagtail site that a sites file's ``root`` names.

    "" is the default site, digits are an id, all else a host name with or without port. Raises
    UnknownRoot with the sites that exist.
    """
    for site in Site.objects.order_by("pk"):
        if _is_named(site, root.strip().lower()):
            return int(site.pk)
    names = known_sites()
    asked = f"has root {root!r}" if root.strip() else "has no root and there is no default site"
    raise UnknownRoot(f"An entry of the sites file {asked}; the Wagtail sites are: {names}.")


def known_sites() -> str:
    """The Wagtail sites in words: host and port, and their ids."""
    sites = Site.objects.order_by("pk")
    return ", ".join(f"{site.hostname}:{site.port} (id {site.pk})" for site in sites) or "none"


def host_names() -> list[str]:
    """What :func:`site_for` knows the Wagtail sites by, beside their ids and ports."""
    return list(Site.objects.order_by("pk").values_list("hostname", flat=True))


def _is_named(site: Site, root: str) -> bool:
    if not root:
        return bool(site.is_default_site)
    if root.isascii() and root.isdigit():
        return int(root) == int(site.pk)
    host, _, port = root.partition(":")
    return bool(site.hostname.lower() == host and port in ("", str(site.port)))


def _visible(site_id: int) -> models.QuerySet[Item]:
    return Item.objects.filter(site_id=site_id, is_visible=True)


def _of_type(rows: models.QuerySet[Item], item_type: str) -> models.QuerySet[Item]:
    """Keep the items of a type, by its number, which the index knows; an unknown one has none."""
    kind = item_types().get(item_type)
    return rows.none() if kind is None else rows.filter(item_type_id=kind.id)


def _below(rows: models.QuerySet[Item], subtree: str) -> models.QuerySet[Item]:
    """Keep what has a location below ``subtree``: a path string starts with a quote in the stored list."""
    if not subtree.strip("/"):
        return rows
    opening = f'"/{subtree.strip("/")}/'
    return rows.annotate(_paths=Cast("category_paths", models.TextField())).filter(_paths__contains=opening)


def _slice(rows: models.QuerySet[Item], *, start: int, limit: int) -> list[Found]:
    return [_found(row) for row in rows.order_by("content_id")[start : start + limit]]


def _first(rows: models.QuerySet[Item]) -> Found | None:
    row = rows.order_by("item_type_id").first()
    return None if row is None else _found(row)


def _found(row: Item) -> Found:
    return Found(
        **vars(row.ref()),
        uri=row.uri,
        category_paths=tuple(row.category_paths),
        published_at=row.published_at,
        payload=bytes(row.payload),
    )
