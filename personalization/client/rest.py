"""What the engine fetches: items, and the files of full exports. Reference `client-protocol.md` 4."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import BinaryIO

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase

from config import site_access
from config.site_access import SiteAccess
from content.items import queries
from content.items.queries import Found, Group
from content.items.types import item_types
from personalization.client import access, asked
from personalization.client.bodies import AS_STORED, Shape, bodies_of, bodies_of_rows
from personalization.client.envelopes import (
    content_list,
    endpoint,
    error,
    items_as_stored,
    wrong_credentials,
)
from personalization.client.export import files
from personalization.client.models import ExportRun

# Pictures that one request may have drawn in a new variation, two seconds of work; the next gets the rest.
MOST_DRAWN = 60
RUN_FILE = re.compile(r"(\d{4}/\d\d/\d\d/\d\d/\d\d/[0-9]+-[0-9a-f]{32})/([A-Za-z0-9_-]{1,200})", re.ASCII)


@endpoint
def content(request: HttpRequest, *, ids: str) -> HttpResponseBase:
    """Items by number, one or many: ``content/id/<id>``, ``contentlist/<ids>``, ``content/list/<ids>``."""
    sites = access.readable_sites(request)
    if sites is None:
        return wrong_credentials()
    numbers, languages, shape = asked.ids_of(ids), asked.languages_of(request), shape_of(request)
    if (plain := as_stored(sites, languages, shape=shape)) is not None:
        site_id, language = plain
        return items_as_stored(request, queries.joined(site_id, numbers, language=language))
    found: list[tuple[int, bytes]] = []
    for site, site_id in with_wagtail_site(sites):
        rows = queries.stored_many(site_id, numbers, asked.served(languages, site))
        found += zip([row[0] for row in rows], bodies_of_rows(rows, site=site, shape=shape), strict=True)
    order = {number: place for place, number in enumerate(numbers)}
    found.sort(key=lambda entry: order[entry[0]])
    bodies = [body for _, body in found]
    # Sites may share items; one site has each once, and comparing 100 KB would take its time.
    return content_list(request, each_once(bodies) if len(sites) > 1 else bodies)


def as_stored(
    sites: Sequence[SiteAccess], languages: Sequence[str], *, shape: Shape
) -> tuple[int, str] | None:
    """Wagtail site and language ("" for all) where items are answered as they are stored, else None."""
    if len(sites) != 1 or shape != AS_STORED or sites[0].use_remote_id or sites[0].legacy_strings:
        return None
    site_id = site_access.wagtail_site_id(sites[0])
    served = asked.served(languages, sites[0])
    return None if site_id is None or len(served) > 1 else (site_id, served[0] if served else "")


@endpoint
def remote_content(request: HttpRequest, *, remote_id: str) -> HttpResponseBase:
    """One item by its remote id."""
    sites = access.readable_sites(request)
    if sites is None:
        return wrong_credentials()
    languages = asked.languages_of(request)
    found: list[tuple[Found, SiteAccess]] = []
    for site, site_id in with_wagtail_site(sites):
        served = asked.served(languages, site)
        wanted = served or queries.languages(site_id)
        rows = [queries.find_by_remote_id(site_id, remote_id[:100], language) for language in wanted]
        existing = [row for row in rows if row is not None]
        found += in_languages(existing, languages=served, site=site)
    return answer(request, found)


@endpoint
def content_types(request: HttpRequest, *, ids: str) -> HttpResponseBase:
    """Items of types by page, type after type: ``contenttypes/<id>[,<id>]``."""
    sites = access.readable_sites(request)
    if sites is None:
        return wrong_credentials()
    numbers = asked.ids_of(ids)
    start, limit = asked.slice_of(request)
    subtree = asked.subtree_of(request)
    groups = groups_of(request, asked.sites_of(request, sites), numbers, subtree=subtree)
    pages = queries.list_across(
        [(site_id, group) for _, site_id, group in groups], start=start, limit=limit, subtree=subtree
    )
    found = [(row, site) for (site, _, _), rows in zip(groups, pages, strict=True) for row in rows]
    return answer(request, found)


def groups_of(
    request: HttpRequest, sites: Sequence[SiteAccess], numbers: Sequence[int], *, subtree: str
) -> list[tuple[SiteAccess, int, Group]]:
    """The groups of these types in the asked order of types, then of sites and languages, each once."""
    asked_languages = asked.languages_of(request)
    identifiers = {kind.id: kind.identifier for kind in item_types().values()}
    types = [identifiers[number] for number in numbers if number in identifiers]
    found: dict[tuple[int, str, str], tuple[SiteAccess, int, Group]] = {}
    for site, site_id in with_wagtail_site(sites):
        languages = asked.served(asked_languages, site) or None
        for group in queries.groups(site_id, types, languages, subtree=subtree):
            found.setdefault((site_id, group.item_type, group.language), (site, site_id, group))
    return sorted(found.values(), key=lambda entry: types.index(entry[2].item_type))


def in_languages(
    rows: Sequence[Found], *, languages: Sequence[str], site: SiteAccess
) -> Iterator[tuple[Found, SiteAccess]]:
    wanted = list(languages) or sorted({row.language for row in rows})
    for language in wanted:
        yield from ((row, site) for row in rows if row.language == language)


def with_wagtail_site(sites: Sequence[SiteAccess]) -> Iterator[tuple[SiteAccess, int]]:
    for site in sites:
        site_id = site_access.wagtail_site_id(site)
        if site_id is not None:
            yield site, site_id


def answer(request: HttpRequest, found: Sequence[tuple[Found, SiteAccess]]) -> HttpResponseBase:
    return content_list(request, each_once(bodies_of(found, shape=shape_of(request))))


def each_once(bodies: Sequence[bytes]) -> list[bytes]:
    return list(dict.fromkeys(bodies))


def shape_of(request: HttpRequest) -> Shape:
    return Shape(fields=asked.fields_of(request), variation=asked.variation_of(request), draws=MOST_DRAWN)


@endpoint
def nowhere(_request: HttpRequest) -> HttpResponseBase:
    """Without it the event intake would take these addresses for a customer called "ezp"."""
    return error(
        HTTPStatus.NOT_FOUND,
        "There is nothing at this address. Known are content/id, content/remote-id, content/list, "
        "contentlist, contenttypes and export/download.",
    )


@endpoint
def download(request: HttpRequest, *, file_path: str) -> HttpResponseBase:
    """One file of a complete export, byte for byte."""
    match = RUN_FILE.fullmatch(file_path)
    run = ExportRun.objects.filter(folder=match[1]).first() if match else None
    if match is None or run is None:
        return error(HTTPStatus.NOT_FOUND, f"File: {file_path[:300]} not found.")
    if not access.may_download(request, run):
        return wrong_credentials()
    handle = open_published(run, match[2])
    if handle is None:
        return error(HTTPStatus.NOT_FOUND, f"File: {file_path[:300]} not found.")
    response = FileResponse(handle, as_attachment=True, filename=match[2], content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


def open_published(run: ExportRun, name: str) -> BinaryIO | None:
    """Open a file of a run whose manifest is there; None if either is missing or the name is a link."""
    folder = files.absolute(run.folder)
    if not (folder / files.MANIFEST).is_file():
        return None
    try:
        return os.fdopen(os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW), "rb")
    except OSError:
        return None
