"""Blocks of recommendations that the browser fetches, so that the page itself is the same for everybody.

The page holds a placeholder with the options of the block, signed: nobody can have the server ask other
questions than a template or an editor wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from personalization import contracts
from personalization.client import pages, recommend, rendering

SALT = "lodestar-recommendations"
TEMPLATE = "lodestar/recommendations_lazy.html"
LONGEST = 4000  # characters of the signed options
KNOWN = frozenset(
    {"language", "template", "title", *signature(recommend.recommendations).parameters} - {"request"}
)


def show_recommendations(
    request: HttpRequest, scenario: str, *, lazy: bool = False, **options: Any
) -> SafeString:
    """:func:`rendering.show_recommendations`; with ``lazy`` a placeholder that the browser fills."""
    if lazy and not getattr(request, "is_preview", False):
        return placeholder(request, scenario, options=options)
    return rendering.show_recommendations(request, scenario, **options)


def placeholder(request: HttpRequest, scenario: str, *, options: Mapping[str, Any]) -> SafeString:
    """The element that a block of recommendations is put into; "" where the site has no engine."""
    if not rendering.enabled(request):
        return SafeString("")
    given = {**options, "scenario": scenario, "language": translation.get_language() or "en"}
    given["context"] = context_ids(request, given.get("context"))
    wanted = {name: plain(value) for name, value in given.items()}
    signed = signer().sign_object({name: value for name, value in wanted.items() if value not in (None, "")})
    address = f"{reverse('recommendations-fragment')}?{urlencode({'options': signed})}"
    return rendering.render(TEMPLATE, {"address": address}, request)


def plain(value: Any) -> Any:
    """What JSON can hold of an option: texts in the language of the page, sets in an order."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(one) for one in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value)


def context_ids(request: HttpRequest, given: Any) -> list[int | str]:
    """The content ids of pages and other items, or codes of a history, which a signature can hold."""
    language = pages.language_of(request)
    wanted = given if isinstance(given, list | tuple) else [given]
    if codes := recommend.history_codes(wanted):
        return codes
    found = ((one, pages.item_of(request, one, language=language)) for one in wanted)
    ids = (one if item is None else item.content_id for one, item in found)
    return [one for one in ids if isinstance(one, int) and not isinstance(one, bool)]


def signer() -> signing.Signer:
    return signing.Signer(salt=SALT)


@require_safe
def fragment(request: HttpRequest) -> HttpResponse:
    """The recommendations of one placeholder for this visitor; 204 when there are none."""
    options = options_of(request.GET.get("options", ""))
    if options is None:
        text = "The options of this block are not signed by this site. Load the page again.\n"
        return private(HttpResponse(text, status=400, content_type="text/plain; charset=utf-8"))
    language, scenario = str(options.pop("language")), str(options.pop("scenario"))
    request.LANGUAGE_CODE = language  # of the page, which is another address than this one
    with translation.override(language):
        html = rendering.show_recommendations(request, scenario, **options)
    return private(HttpResponse(html) if html else HttpResponse(status=204))


def options_of(signed: str) -> dict[str, Any] | None:
    """The options as they were signed, None for anything else."""
    if not signed or len(signed) > LONGEST:
        return None
    try:
        options = signer().unsign_object(signed)
    except (signing.BadSignature, ValueError):
        return None
    known = isinstance(options, dict) and {"language", "scenario"} <= options.keys()
    if not known or not knows(str(options["language"])):
        return None
    # A page that a cache kept may name an option of an earlier version.
    return {name: value for name, value in options.items() if name in KNOWN}


def knows(language: str) -> bool:
    try:
        contracts.to_protocol_language(language)
    except contracts.UnknownLanguage:
        return False
    return True


def private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    patch_vary_headers(response, ["Cookie"])
    return response
