"""``{% load cdp_tracking %}``: the tags of tracking for the customer data platform, for Django templates."""

from __future__ import annotations

from typing import Any

from django import template

from cdp.tracking import rendering

register = template.Library()


@register.simple_tag(takes_context=True)
def tracking_script(context: dict[str, Any], **options: Any) -> str:
    return rendering.tracking_script(context["request"], **options)


@register.simple_tag(takes_context=True)
def track_event(context: dict[str, Any], event: str, data: Any = None, **options: Any) -> str:
    return rendering.track_event(context["request"], event, data, **options)


@register.simple_tag(takes_context=True)
def ibexa_tracking_script(
    context: dict[str, Any],
    customerId: int | None = None,
    hasConsented: bool = False,  # noqa: FBT001, FBT002, N803
) -> str:
    return rendering.tracking_script(context["request"], account=customerId, has_consented=hasConsented)


@register.simple_tag(takes_context=True)
def ibexa_tracking_track_event(
    context: dict[str, Any], /, event: str, data: Any = None, *_more: Any, **options: Any
) -> str:
    """``context=`` is a mapping of the template's, such as ``{"quantity": 2}``; ``template`` is not used."""
    return rendering.track_event(context["request"], event, data, **(options.get("context") or {}))
