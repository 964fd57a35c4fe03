"""What a developer sees on the page: whom it is for, what this visitor did, and why each list is as it is.

Only with ``LODESTAR_DEBUG_BAR``, which the demo switches on. It tells a visitor about nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from personalization.client import lazy, pages, visitor
from personalization.client.answers import Recommendation
from personalization.client.rendering import Shown
from personalization.segments import queries as segments
from personalization.server.models import Model
from tracking import queries
from tracking.rotation import keys

NEWEST = 5  # events
MODEL = re.compile(r"[?&]modelid=(\d{1,18})(?:&|$)")


def beside(shown: Shown) -> SafeString:
    """What stands below a list of recommendations, also below one that is empty."""
    if not settings.LODESTAR_DEBUG_BAR:
        return SafeString("")
    context = {
        "shown": shown,
        "milliseconds": round(shown.seconds * 1000, 1),
        "models": models_of(shown.items),
        "reasons": list(dict.fromkeys(one.reason for one in shown.items if one.reason)),
        "is_fallback": any(one.is_fallback for one in shown.items),
    }
    return html("lodestar/debug_list.html", context)


def models_of(items: Iterable[Recommendation]) -> list[str]:
    """The models that gave the items. An engine elsewhere says only their numbers."""
    found = dict.fromkeys(int(match[1]) for one in items if (match := MODEL.search(one.click_url)))
    names = dict(Model.objects.filter(pk__in=found).values_list("pk", "identifier"))
    return [names.get(key, str(key)) for key in found]


def place() -> SafeString:
    """Where the bar goes. It is fetched, so that pages stay the same for everybody."""
    if not settings.LODESTAR_DEBUG_BAR:
        return SafeString("")
    return html("lodestar/debug_place.html", {"address": reverse("debug-bar")})


@require_safe
def bar(request: HttpRequest) -> HttpResponse:
    """The bar for this visitor; 404 where it is switched off."""
    site = pages.site_of(request)
    if not settings.LODESTAR_DEBUG_BAR or site is None:
        return HttpResponse(status=404)
    who, customer_id = visitor.visitor_of(request), str(site.customer_id)
    names = () if who == visitor.NOBODY else keys.living(customer_id, who)
    events = queries.history(customer_id, *names, limit=NEWEST) if names else []
    context = {
        "customer_id": customer_id,
        "pseudonym": names[0] if names else "",
        "segments": sorted(segments.of_request(request).identifiers) if names else [],
        "events": [
            {"past": one, "at": datetime.fromtimestamp(one.ts / 1_000_000, UTC).strftime("%H:%M:%S")}
            for one in events
        ],
    }
    return lazy.private(HttpResponse(html("lodestar/debug_bar.html", context)))


def html(template: str, context: dict[str, Any]) -> SafeString:
    return mark_safe(render_to_string(template, context))  # noqa: S308 - templates escape
