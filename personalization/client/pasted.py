"""Calls that stand in templates of the reference's platform, working here as they were pasted.

Reference `enable_personalization.md` (Enable tracking, Display recommendations) and
`client-protocol.md` 6.2, 6.7.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.safestring import SafeString

from content.items.types import item_types
from personalization.client import recommend, rendering

logger = logging.getLogger("personalization")

PREFIXES = ("ibexa_recommendation", "ez_recommendation")
ACTIONS = tuple(
    f"{name}::showRecommendationsAction" for name in ("ibexa_personalization", "ez_recommendation")
)
ENTRIES = ("ibexa-personalization-client-js", "ezrecommendation-client-js")


@dataclass(frozen=True, kw_only=True)
class Call:
    """``controller(name, arguments)``, which ``render`` carries out."""

    name: str
    arguments: Mapping[str, Any]


def controller(name: str, arguments: Mapping[str, Any] | None = None) -> Call:
    return Call(name=name, arguments=arguments or {})


def render(request: HttpRequest, call: Call) -> SafeString:
    """Carry out the one controller that there is; another one is named in the log and renders nothing."""
    if call.name not in ACTIONS:
        logger.warning("There is no controller %.80r; %s renders recommendations.", call.name, ACTIONS[0])
        return SafeString("")
    return show_recommendations(request, **call.arguments)


def show_recommendations(
    request: HttpRequest,
    contextItems: Any = None,  # noqa: N803 - the names of pasted templates
    scenario: str = "",
    outputTypeId: int | str | None = None,  # noqa: N803
    limit: int | str = recommend.DEFAULT_LIMIT,
    template: str = "",
    attributes: Sequence[str] = recommend.DEFAULT_ATTRIBUTES,
    *,
    crossContentType: bool | None = None,  # noqa: N803
    filters: Mapping[str, object] | None = None,
) -> SafeString:
    """``showRecommendationsAction`` with its arguments by name or in their order; "" when there are none."""
    return rendering.show_recommendations(
        request,
        scenario,
        template=known_template(template),
        context=contextItems,
        limit=limit,
        attributes=attributes,
        output_type_id=type_number(outputTypeId),
        cross_content_type=crossContentType,
        filters=filters,
    )


def known_template(name: str) -> str:
    """The template if there is one of this name, else the default (reference 6.7, step 6)."""
    try:
        get_template(name or rendering.TEMPLATE)
    except TemplateDoesNotExist:
        return rendering.TEMPLATE
    return name or rendering.TEMPLATE


def type_number(given: int | str | None) -> int | None:
    """The number of an item type that is given by number or by identifier (`blog_post`)."""
    if given is None or given == "":
        return None
    if str(given).isascii() and str(given).isdigit():
        return int(given)
    kind = item_types().get(str(given))
    if kind is None:
        logger.warning("outputTypeId names no item type: %.80r; recommendations of all are shown.", given)
    return kind.id if kind else None


def script_tags(request: HttpRequest, entry: str) -> SafeString:
    """The script that reports clicks on recommendations; an entry of another package is not ours to load.

    A page may load it beside the tracking code: the second tracker sees the first and ends.
    """
    return rendering.track_user(request) if entry in ENTRIES else SafeString("")
