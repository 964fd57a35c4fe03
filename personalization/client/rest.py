"""What the engine fetches: items by id, and the files of full exports. Reference `client-protocol.md` 4.

The items are answered as they are stored; only ``fields`` and remote ids make a change to them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from http import HTTPStatus
from typing import BinaryIO

import orjson
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from config import site_access
from config.site_access import SiteAccess
from content.items import queries
from content.items.payload import SYSTEM_KEYS, with_remote_id
from content.items.queries import Found
from personalization import contracts
from personalization.client import access
from personalization.client.export import files
from personalization.client.export.write import HEAD, TAIL
from personalization.client.models import ExportRun

MAX_IDS = 500
MAX_FIELDS = 200
ID = re.compile(r"[0-9]{1,18}")
RUN_FILE = re.compile(r"(\d{4}/\d\d/\d\d/\d\d/\d\d/[0-9]+-[0-9a-f]{32})/([A-Za-z0-9_-]{1,200})", re.ASCII)

View = Callable[..., HttpResponseBase]


class BadRequest(Exception):
    """The request cannot be answered; the message says why."""


def error(status: HTTPStatus, description: str) -> HttpResponse:
    """The error envelope of reference 4.5."""
    document = {
        "ErrorMessage": {
            "_media-type": "application/vnd.ibexa.api.ErrorMessage+json",
            "errorCode": status.value,
            "errorMessage": status.phrase,
            "errorDescription": description,
        }
    }
    response = HttpResponse(
        orjson.dumps(document),
        status=status.value,
        content_type="application/vnd.ibexa.api.ErrorMessage+json",
    )
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="personalization", Basic realm="personalization"'
    return response


def endpoint(view: View) -> View:
    """Read-only, without session or CSRF cookie; faults of the request become the error envelope."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, **parts: str) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            response = error(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.")
            response["Allow"] = "GET, HEAD"
            return response
        try:
            return view(request, **parts)
        except BadRequest as fault:
            return error(HTTPStatus.BAD_REQUEST, str(fault))

    return guarded


@endpoint
def content(request: HttpRequest, *, ids: str) -> HttpResponseBase:
    """Items by number, one or many: ``content/id/<id>``, ``contentlist/<ids>``, ``content/list/<ids>``."""
    sites = access.readable_sites(request)
    if sites is None:
        return error(HTTPStatus.UNAUTHORIZED, "Access denied: wrong credentials")
    numbers = ids_of(ids)
    found = [
        row
        for site, site_id in with_wagtail_site(sites)
        for row in in_languages(
            queries.find_many(site_id, numbers), languages=languages_of(request, site), site=site
        )
    ]
    order = {number: place for place, number in enumerate(numbers)}
    return answer(request, sorted(found, key=lambda pair: order[pair[0].content_id]))


@endpoint
def remote_content(request: HttpRequest, *, remote_id: str) -> HttpResponseBase:
    """One item by its remote id."""
    sites = access.readable_sites(request)
    if sites is None:
        return error(HTTPStatus.UNAUTHORIZED, "Access denied: wrong credentials")
    found: list[tuple[Found, SiteAccess]] = []
    for site, site_id in with_wagtail_site(sites):
        wanted = languages_of(request, site) or queries.languages(site_id)
        rows = [queries.find_by_remote_id(site_id, remote_id[:100], language) for language in wanted]
        existing = [row for row in rows if row is not None]
        found += in_languages(existing, languages=languages_of(request, site), site=site)
    return answer(request, found)


def ids_of(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MAX_IDS:
        raise BadRequest(f"At most {MAX_IDS} ids are answered at once; got {len(parts)}.")
    for part in parts:
        if not ID.fullmatch(part):
            raise BadRequest(f"Ids are whole numbers separated by commas; got {part[:80]!r}.")
    return list(dict.fromkeys(int(part) for part in parts))


def languages_of(request: HttpRequest, site: SiteAccess) -> list[str]:
    """The asked languages that the site serves, in the asked order; the site's own when none is asked."""
    asked = list(dict.fromkeys(part.strip() for part in request.GET.get("lang", "").split(",")))
    asked = [part for part in asked if part]
    for language in asked:
        if not is_known_language(language):
            raise BadRequest(f"lang takes language codes of the form eng-GB; got {language[:80]!r}.")
    if not asked:
        return list(site.languages)
    # A language that only another customer may see does not exist for this one.
    return [language for language in asked if site.serves(language)] or ["-"]


def is_known_language(language: str) -> bool:
    try:
        contracts.from_protocol_language(language)
    except contracts.UnknownLanguage:
        return False
    return True


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


def answer(request: HttpRequest, found: Sequence[tuple[Found, SiteAccess]]) -> HttpResponse:
    """200 with the items, each once, or 204 without a body."""
    fields = fields_of(request)
    bodies = list(dict.fromkeys(body_of(row, site=site, fields=fields) for row, site in found))
    if not bodies:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    response = HttpResponse(HEAD + b",".join(bodies) + TAIL, content_type=contracts.CONTENTLIST_MEDIA_TYPE)
    response["Cache-Control"] = "private, no-store"
    return response


def fields_of(request: HttpRequest) -> frozenset[str] | None:
    """The fields that were asked for, None for all."""
    raw = request.GET.get("fields")
    if raw is None:
        return None
    names = [part.strip() for part in raw.split(",") if part.strip()]
    if len(names) > MAX_FIELDS:
        raise BadRequest(f"fields takes at most {MAX_FIELDS} names; got {len(names)}.")
    return frozenset(names)


def body_of(row: Found, *, site: SiteAccess, fields: frozenset[str] | None) -> bytes:
    payload = row.payload
    if site.use_remote_id:
        payload = with_remote_id(payload, content_id=row.content_id, remote_id=row.remote_id)
    if fields is None:
        return payload
    item = orjson.loads(payload)
    return orjson.dumps({key: value for key, value in item.items() if key in SYSTEM_KEYS or key in fields})


@endpoint
def download(request: HttpRequest, *, file_path: str) -> HttpResponseBase:
    """One file of a complete export, byte for byte."""
    match = RUN_FILE.fullmatch(file_path)
    run = ExportRun.objects.filter(folder=match[1]).first() if match else None
    if match is None or run is None:
        return error(HTTPStatus.NOT_FOUND, "There is no such export file.")
    if not access.may_download(request, run):
        return error(HTTPStatus.UNAUTHORIZED, "Access denied: wrong credentials")
    handle = open_published(run, match[2])
    if handle is None:
        return error(HTTPStatus.NOT_FOUND, "There is no such export file.")
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
