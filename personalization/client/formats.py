"""JSON or XML: what a caller of the content REST accepts, and the XML form of an answer.

Reference `client-protocol.md` 4.4 and 4.5; lists, which the original XML form could not carry (W-28), are
repeated elements.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any
from xml.etree import ElementTree as ET  # only writes; nothing is parsed with it

from django.http import HttpRequest

from personalization import contracts

VENDOR, OLDER_VENDOR = "vnd.ibexa.api", "vnd.ez.api"
MEDIA_TYPES = (
    contracts.CONTENTLIST_MEDIA_TYPE,
    contracts.CONTENT_MEDIA_TYPE,
    contracts.ERROR_MEDIA_TYPE,
)
ELEMENT_NAME = re.compile(r"(?!xml)[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII | re.IGNORECASE)
# What XML 1.0 cannot hold, not even escaped.
NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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


def as_xml(document: dict[str, Any]) -> bytes:
    """A document with one root key, in the XML form of the platform: ``_media-type`` and ``_href`` become
    attributes, lists repeated elements, nothing (null) an empty element."""
    [(name, value)] = document.items()
    [root] = elements(name, value)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def elements(name: str, value: Any) -> list[ET.Element]:
    """One element for a value, several for a list."""
    if isinstance(value, list):
        return [element for one in value for element in elements(name, one)]
    known = ELEMENT_NAME.fullmatch(name) is not None
    # An attribute may have any name; an element may not.
    element = ET.Element(name) if known else ET.Element("field", name=clean(name))
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "_href":
                element.set("href", clean(part))
            elif key == "_media-type":
                element.set("media-type", clean(part).replace("+json", "+xml"))
            else:
                element.extend(elements(key, part))
    elif value is not None:
        element.text = clean(value)
    return [element]


def clean(value: Any) -> str:
    """A scalar as text; what XML cannot hold becomes U+FFFD."""
    text = ("false", "true")[value] if isinstance(value, bool) else str(value)
    return NOT_IN_XML.sub("\ufffd", text)
