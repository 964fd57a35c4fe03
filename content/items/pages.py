"""Wagtail pages as a source of items.

An item is a page in all its languages. Aliases in the language of their original are further locations
of the same item; an alias in another language stands in for the translation.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Min, Q
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from wagtail.models import Page, Site

from config.languages import UnknownLanguage, to_protocol_language
from content.items.page_reading import pictures_of, read
from content.items.pictures import rendition_of
from content.items.scoped import Scopes, author_of
from content.items.sources import SourceItem, register
from content.items.types import ItemType, item_types

logger = logging.getLogger("personalization")

NAME = "wagtail"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a page stands: what is needed to group, locate and read it."""

    pk: int
    key: str
    path: str
    url_path: str
    locale_id: int
    language: str
    content_type_id: int
    is_alias: bool


@dataclass(frozen=True, kw_only=True)
class Root:
    """One language's home of a site."""

    site_id: int
    path: str
    url_path: str
    language: str


class WagtailPageSource:
    """Every live, public page of a declared type below the root of a site."""

    name = NAME

    def item_types(self) -> Collection[str]:
        return list(_page_types())

    def count(self, item_types: Collection[str]) -> int:
        return _originals(item_types).values("translation_key").distinct().count()

    def keys(self, item_types: Collection[str]) -> Iterator[str]:
        rows = _originals(item_types).order_by("translation_key")
        last = None
        for key in rows.values_list("translation_key", flat=True).iterator(chunk_size=2000):
            if key != last:
                yield str(key)
            last = key

    def numbers(self, keys: Collection[str]) -> dict[str, int | None]:
        rows = _pages_of(_page_types()).filter(translation_key__in=_uuids(keys)).order_by()
        lowest = rows.values_list("translation_key").annotate(number=Min("pk"))
        return {str(key): number for key, number in lowest}

    def prepare(self, keys: Collection[str]) -> None:
        """Draw missing renditions: too slow to do while rows are locked."""
        for instance in _read([place for place in _family(keys) if not place.is_alias]).values():
            for picture in pictures_of(instance):
                try:
                    rendition_of(picture)
                except Exception:  # noqa: BLE001, S112 - reading the field again reports it by name
                    continue

    def fetch(self, keys: Collection[str]) -> Sequence[SourceItem]:
        family = _family(keys)
        shown = _shown(place.pk for place in family)
        groups: dict[tuple[str, int], list[Place]] = {}
        for place in sorted(family, key=lambda place: (place.is_alias, place.pk)):
            if place.pk in shown:
                groups.setdefault((place.key, place.locale_id), []).append(place)
        instances = _read([places[0] for places in groups.values()])
        roots, ids, scopes = _roots(), _ids_by_path(family), Scopes()
        return [
            item
            for places in groups.values()
            if places[0].pk in instances
            for item in _items(places, instances[places[0].pk], roots=roots, ids=ids, scopes=scopes)
        ]

    def below(self, key: str) -> Iterator[str]:
        top = Page.objects.filter(pk=key).values_list("path", flat=True).first()
        if top is None:
            return
        rows = _pages_of(_page_types()).filter(path__startswith=top)
        for own, original in rows.values_list("translation_key", "alias_of__translation_key").iterator():
            yield str(own)
            if original:
                yield str(original)


def keys_of(page_id: int | None) -> set[str]:
    """Return the keys of a page and of every original that it is an alias of."""
    keys: set[str] = set()
    while page_id is not None:
        row = Page.objects.filter(pk=page_id).values_list("translation_key", "alias_of_id").first()
        if row is None or str(row[0]) in keys:
            break
        keys.add(str(row[0]))
        page_id = row[1]
    return keys


def _page_types() -> dict[str, ItemType]:
    return {name: kind for name, kind in item_types().items() if issubclass(kind.model, Page)}


def _types_by_content_type() -> dict[int, ItemType]:
    return {ContentType.objects.get_for_model(kind.model).pk: kind for kind in _page_types().values()}


def _pages_of(identifiers: Collection[str]) -> models.QuerySet[Page]:
    wanted = [pk for pk, kind in _types_by_content_type().items() if kind.identifier in identifiers]
    rows: models.QuerySet[Page] = Page.objects.filter(content_type_id__in=wanted)
    return rows


def _originals(identifiers: Collection[str]) -> models.QuerySet[Page]:
    return _pages_of(identifiers).filter(alias_of=None)


def _uuids(keys: Collection[str]) -> list[UUID]:
    """Turn keys into what the column holds; a key of another shape names no page."""
    found = []
    for key in keys:
        with suppress(ValueError):
            found.append(UUID(key))
    return found


def _family(keys: Collection[str]) -> list[Place]:
    """Return all pages that show the items of ``keys``: translations, and aliases of any of them."""
    wanted = set(keys)
    found: dict[int, Place] = {}
    condition = Q(translation_key__in=_uuids(keys))
    while rows := [row for row in _rows(condition) if row.pk not in found]:
        for row in rows:
            found[row.pk] = _placed(row, found.get(row.alias_of_id or 0))
        condition = Q(alias_of_id__in=[row.pk for row in rows])
    return [place for place in found.values() if place.key in wanted]


def _rows(condition: Q) -> list[Page]:
    return list(
        _pages_of(_page_types())
        .filter(condition)
        .select_related("locale", "alias_of")
        .only(
            "pk",
            "path",
            "url_path",
            "translation_key",
            "content_type_id",
            "locale__language_code",
            "alias_of__translation_key",
            "alias_of__locale_id",
        )
        .order_by("pk")
    )


def _placed(page: Page, original: Place | None) -> Place:
    """Name the item that a page shows: an alias in the same language shows its original's."""
    key, is_alias = str(page.translation_key), page.alias_of_id is not None
    if is_alias and page.alias_of.locale_id == page.locale_id:
        key = original.key if original else str(page.alias_of.translation_key)
    return Place(
        pk=page.pk,
        key=key,
        path=page.path,
        url_path=page.url_path,
        locale_id=page.locale_id,
        language=page.locale.language_code,
        content_type_id=page.content_type_id,
        is_alias=is_alias,
    )


def _shown(page_ids: Iterator[int]) -> set[int]:
    return set(Page.objects.filter(pk__in=list(page_ids)).live().public().values_list("pk", flat=True))


def _read(places: Sequence[Place]) -> dict[int, Page]:
    return read(
        (kind, [place.pk for place in places if place.content_type_id == content_type_id])
        for content_type_id, kind in _types_by_content_type().items()
    )


def _roots() -> list[Root]:
    """Return every home of every site, the most specific first; Wagtail's cache may be an hour old."""
    roots = [
        Root(
            site_id=site.pk,
            path=page.path,
            url_path=page.url_path,
            language=page.locale.language_code,
        )
        for site in Site.objects.select_related("root_page")
        for page in site.root_page.get_translations(inclusive=True).select_related("locale")
    ]
    return sorted(roots, key=lambda root: -len(root.path))


def _ids_by_path(places: Sequence[Place]) -> dict[str, int]:
    return _ancestor_ids([place.path for place in places])


def _ancestor_ids(paths: Sequence[str]) -> dict[str, int]:
    step = Page.steplen
    wanted = {path[:end] for path in paths for end in range(step, len(path) + 1, step)}
    return dict(Page.objects.filter(path__in=wanted).values_list("path", "pk"))


def _location(path: str, ids: dict[str, int]) -> str:
    step = Page.steplen
    numbers = (ids.get(path[:end], 0) for end in range(step, len(path) + 1, step))
    return "/" + "".join(f"{number}/" for number in numbers)


def _items(
    places: list[Place], instance: Page, *, roots: list[Root], ids: dict[str, int], scopes: Scopes
) -> Iterator[SourceItem]:
    """Yield the item once for every site that has a location of it, the original's location first."""
    by_site: dict[int, list[tuple[Place, Root]]] = {}
    for place in places:
        for root in roots:
            known = [other for other, _ in by_site.get(root.site_id, [])]
            if place.path.startswith(root.path) and place not in known:
                by_site.setdefault(root.site_id, []).append((place, root))
    kind = _types_by_content_type()[places[0].content_type_id]
    try:
        language = to_protocol_language(places[0].language)
    except UnknownLanguage as error:
        logger.error("Page %s is left out of the items: %s", places[0].pk, error)
        return
    for site_id, located in by_site.items():
        site = scopes.of(site_id, language)
        yield SourceItem(
            item_type=kind,
            key=places[0].key,
            site_id=site_id,
            language=language,
            uri=_uri(*located[0]),
            category_paths=[_location(place.path, ids) for place, _ in located],
            author=author_of(instance, kind, site=site, scopes=scopes),
            published_at=instance.first_published_at or instance.last_published_at,
            instance=instance,
            relations=site.field_relations if site else {},
        )


def _uri(place: Place, root: Root) -> str:
    try:
        with translation.override(root.language):
            return str(reverse("wagtail_serve", args=(place.url_path[len(root.url_path) :],)))
    except NoReverseMatch:
        return ""


register(WagtailPageSource())
