"""The page that is being rendered: its site of the sites file, its language, its item."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.utils import translation

from config import site_access
from config.site_access import SiteAccess
from content.items import queries
from content.items.queries import Found
from personalization import contracts


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
        # By name: only content and the back office import wagtail.
        site = apps.get_model("wagtailcore", "Site").find_for_request(request)
        known[language] = None if site is None else site_access.for_request_language(site.pk, language)
    return known[language]


def item_of(content: Any, *, site: SiteAccess, language: str) -> Found | None:
    """The item behind ``content``: a page, a content id, or a remote id; None if it is not one."""
    site_id = site_access.wagtail_site_id(site)
    if content is None or site_id is None or isinstance(content, bool):
        return None
    if isinstance(content, int):
        return queries.find(site_id, content, language)
    remote_id = content if isinstance(content, str) else getattr(content, "translation_key", None)
    if remote_id is None:
        return None
    return queries.find_by_remote_id(site_id, str(remote_id), language)


def wire_id(item: Found, *, site: SiteAccess) -> int | str:
    """The id under which the engine knows the item."""
    return item.remote_id if site.use_remote_id else item.content_id
