"""``{% load personalization %}``: the template functions of the connector, for Django templates.

Django hands its own context over as the first argument, which must be called ``context``; it is positional
only, so that a template can say ``context=page``.
"""

from __future__ import annotations

from typing import Any

from django import template

from personalization.client import lazy, pasted, recommend, rendering
from personalization.client.answers import Recommendation

register = template.Library()


@register.simple_tag(takes_context=True)
def track_user(context: dict[str, Any], content: Any = None, **options: bool) -> str:
    return rendering.track_user(context["request"], content, **options)


@register.simple_tag(takes_context=True)
def recommendation_enabled(context: dict[str, Any]) -> bool:
    return rendering.enabled(context["request"])


@register.simple_tag(takes_context=True)
def recommendations(context: dict[str, Any], /, scenario: str, **options: Any) -> list[Recommendation]:
    return recommend.recommendations(context["request"], scenario, **options)


@register.simple_tag(takes_context=True)
def show_recommendations(context: dict[str, Any], /, scenario: str, **options: Any) -> str:
    return lazy.show_recommendations(context["request"], scenario, **options)


@register.simple_tag(takes_context=True)
def show_recommendations_action(context: dict[str, Any], /, *arguments: Any, **options: Any) -> str:
    return pasted.show_recommendations(context["request"], *arguments, **options)


@register.simple_tag(takes_context=True)
def encore_entry_script_tags(context: dict[str, Any], /, entry: str, *_build: Any) -> str:
    return pasted.script_tags(context["request"], entry)


for prefix in pasted.PREFIXES:
    register.simple_tag(track_user, takes_context=True, name=f"{prefix}_track_user")
    register.simple_tag(recommendation_enabled, takes_context=True, name=f"{prefix}_enabled")
