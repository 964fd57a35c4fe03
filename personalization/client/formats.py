"""JSON or XML: what a caller of the content REST accepts. Reference `client-protocol.md` 4.4 and 4.5."""

from __future__ import annotations

from enum import Enum

from django.http import HttpRequest

from personalization import contracts

VENDOR, OLDER_VENDOR = "vnd.ibexa.api", "vnd.ez.api"
MEDIA_TYPES = (
    contracts.CONTENTLIST_MEDIA_TYPE,
    contracts.CONTENT_MEDIA_TYPE,
    contracts.ERROR_MEDIA_TYPE,
)


class Format(Enum):
    """The value is the suffix of the media types."""

    JSON = "json"
    XML = "xml"


def offered() -> dict[str, Format]:
    """Media types that may be asked for -> what answers them; the first is the default."""
    found = {"application/json": Format.JSON, "application/xml": Format.XML, "text/xml": Format.XML}
    for vendor in (VENDOR, OLDER_VENDOR):
        for kind in MEDIA_TYPES:
            found |= {in_form(kind, form).replace(VENDOR, vendor).lower(): form for form in Format}
    return found


def in_form(media_type: str, form: Format) -> str:
    """``application/vnd.ibexa.api.ContentList+json`` -> ``application/vnd.ibexa.api.ContentList+xml``."""
    return f"{media_type.removesuffix('+json')}+{form.value}"


OFFERED = offered()


def accepted(request: HttpRequest) -> Format | None:
    """The form that the ``Accept`` header prefers, None when it takes neither; JSON without one."""
    wanted = request.headers.get("Accept", "").strip()
    if not wanted:
        return Format.JSON
    if named := OFFERED.get(wanted.lower()):  # the usual case, without weighing all media types
        return named
    kind = request.get_preferred_type(list(OFFERED))
    return OFFERED[kind] if kind else None
