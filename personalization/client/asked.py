"""What a request to the content REST asks for: reference `client-protocol.md` 4.2.

Every function raises :class:`BadRequest` with a sentence that names the parameter, the rule and the value.
``hidden`` is taken and changes nothing: items that visitors cannot see never leave the site.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.http import HttpRequest

from config.site_access import SiteAccess
from personalization import contracts

MAX_IDS = 500
MAX_FIELDS = 200
MAX_PAGE_SIZE = 1000
DEFAULT_PAGE_SIZE = 10
NUMBER = re.compile(r"[0-9]{1,18}")
NUMBERS = re.compile(r"\s*[0-9]{1,18}\s*(?:,\s*[0-9]{1,18}\s*)*")
SUBTREE = re.compile(r"/(?:[0-9]{1,18}/){0,100}")


class BadRequest(Exception):
    """The request cannot be answered; the message says why."""


def ids_of(text: str) -> list[int]:
    parts = text.split(",")
    if len(parts) > MAX_IDS:
        raise BadRequest(f"At most {MAX_IDS} ids are answered at once; got {len(parts)}.")
    if not NUMBERS.fullmatch(text):
        wrong = next(part for part in map(str.strip, parts) if not NUMBER.fullmatch(part))
        raise BadRequest(f"Ids are whole numbers separated by commas; got {wrong[:80]!r}.")
    return list(dict.fromkeys(map(int, parts)))


def languages_of(request: HttpRequest) -> list[str]:
    """The asked languages, each once, in the asked order."""
    asked = list(dict.fromkeys(part.strip() for part in request.GET.get("lang", "").split(",")))
    asked = [part for part in asked if part]
    for language in asked:
        if not is_known_language(language):
            raise BadRequest(f"lang takes language codes of the form eng-GB; got {language[:80]!r}.")
    return asked


def served(asked: Sequence[str], site: SiteAccess) -> list[str]:
    """Those of the asked languages that the site serves; the site's own when none is asked (empty: all)."""
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


def fields_of(request: HttpRequest) -> frozenset[str] | None:
    """The fields that were asked for, None for all; names that no item has change nothing."""
    names = [part.strip() for part in request.GET.get("fields", "").split(",") if part.strip()]
    if len(names) > MAX_FIELDS:
        raise BadRequest(f"fields takes at most {MAX_FIELDS} names; got {len(names)}.")
    return frozenset(names) or None


def variation_of(request: HttpRequest) -> str:
    """The name of an image variation, "" for the pictures as they are exported.

    A name that is not configured is no error: the reference answers it like a request without one.
    """
    return request.GET.get("image", "").strip()


def slice_of(request: HttpRequest) -> tuple[int, int]:
    """Offset (from 0) and length that ``page`` and ``page_size`` ask for."""
    page = number_of(request, "page", default=1, most=10**9)
    size = number_of(request, "page_size", default=DEFAULT_PAGE_SIZE, most=MAX_PAGE_SIZE)
    return (page - 1) * size, size


def number_of(request: HttpRequest, name: str, *, default: int, most: int) -> int:
    raw = request.GET.get(name)
    if raw is None:
        return default
    if not NUMBER.fullmatch(raw) or not 1 <= int(raw) <= most:
        raise BadRequest(f"{name} must be a whole number from 1 to {most}; got {raw[:80]!r}.")
    return int(raw)


def subtree_of(request: HttpRequest) -> str:
    """The location path below which items must lie, "" for everywhere."""
    raw = request.GET.get("path", "")
    if raw and not SUBTREE.fullmatch(raw):
        raise BadRequest(f"path must be a location path such as /1/2/95/; got {raw[:80]!r}.")
    return raw


def sites_of(request: HttpRequest, readable: Sequence[SiteAccess]) -> list[SiteAccess]:
    """The readable sites, or the one that ``sa`` names."""
    name = request.GET.get("sa", "")
    chosen = [site for site in readable if not name or site.name == name]
    if not chosen:
        known = ", ".join(site.name for site in readable) or "none"
        raise BadRequest(f"sa must be the name of one of your sites ({known}); got {name[:80]!r}.")
    return chosen
