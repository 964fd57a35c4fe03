"""The page that is being rendered: its site of the sites file, its language, its item."""

from __future__ import annotations

import logging
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.http import HttpRequest
from django.utils import translation

from config import site_access
from config.site_access import SiteAccess
from content.items import queries
from content.items.queries import Found
from content.items.types import type_of
from personalization import contracts

logger = logging.getLogger("personalization")


def language_of(request: HttpRequest) -> str:
    """The language of the page in the eng-GB form; eng-GB where it has no such code."""
    code = getattr(request, "LANGUAGE_CODE", None) or translation.get_language() or "en"
    try:
        return contracts.to_protocol_language(code)
    except contracts.UnknownLanguage:
        return "eng-GB"


def site_of(request: HttpRequest) -> SiteAccess | None:
    """The entry of the sites file that serves this page, None if none does.

    Found once per request and language: a page asks for every block of recommendations.
    """
    language = language_of(request)
    known: dict[str, SiteAccess | None] = request.__dict__.setdefault("_lodestar_sites", {})
    if language not in known:
        site = wagtail_site_of(request)
        known[language] = None if site is None else site_access.for_request_language(site, language)
    return known[language]


def wagtail_site_of(request: HttpRequest) -> Any:
    """The row of the Wagtail site that the page belongs to; Wagtail remembers it on the request."""
    # By name: only content and the back office import wagtail.
    return apps.get_model("wagtailcore", "Site").find_for_request(request)


def item_of(request: HttpRequest, content: Any, *, language: str) -> Found | None:
    """The item behind ``content``: a page, a content id, or a remote id; None if it is not one.

    Found once per request: the tracking code and every block of recommendations ask for the same page.
    """
    site = wagtail_site_of(request)
    number = content if isinstance(content, int) and not isinstance(content, bool) else None
    remote_id = remote_id_of(content) if number is None else ""
    if site is None or (number is None and not remote_id):
        return None
    known: dict[tuple[object, str], Found | None] = request.__dict__.setdefault("_lodestar_items", {})
    key = (number or remote_id, language)
    if key not in known:
        known[key] = (
            queries.find_by_remote_id(site.pk, remote_id, language)
            if number is None
            else queries.find(site.pk, number, language)
        )
    return known[key]


def remote_id_of(content: Any) -> str:
    """The remote id of a page, of an object with ``item_key``, or of what is one already; else "".

    ``item_key`` (a value, or a method without arguments) is the key that the object's
    :class:`~content.items.sources.ItemSource` knows it by.
    """
    if content is None or isinstance(content, str):
        return content or ""
    # A page may come as plain Page; it knows the class that it really is.
    kind = getattr(content, "specific_class", None) or type(content)
    if isinstance(content, Model) and type_of(kind) is None:
        return ""
    key = getattr(content, "item_key", None) or getattr(content, "translation_key", None)
    if key is None:
        logger.warning(
            "An object of the type %s is no page, content id or remote id, and has no item_key: "
            "nothing is tracked or recommended for it.",
            type(content).__name__,
        )
    return str((key() if callable(key) else key) or "")


def wire_id(item: Found, *, site: SiteAccess) -> int | str:
    """The id under which the engine knows the item."""
    return item.remote_id if site.use_remote_id else item.content_id
