"""``{% load personalization %}``: the template functions of the connector, for Django templates.

Django hands its own context over as the first argument, which must be called ``context``; it is positional
only, so that a template can say ``context=page``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.template.base import FilterExpression, Parser, Token

from personalization import debug_bar as debug
from personalization.client import lazy, pasted, recommend, rendering
from personalization.client.answers import Recommendation
from personalization.segments import queries

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


@register.simple_tag
def debug_bar() -> str:
    return debug.place()


@register.simple_tag(takes_context=True)
def show_recommendations_action(context: dict[str, Any], /, *arguments: Any, **options: Any) -> str:
    return pasted.show_recommendations(context["request"], *arguments, **options)


@register.simple_tag(takes_context=True)
def encore_entry_script_tags(context: dict[str, Any], /, entry: str, *_build: Any) -> str:
    return pasted.script_tags(context["request"], entry)


class SegmentNode(template.Node):
    """What stands in ``{% segment %}``; the second part is that of ``{% else %}``."""

    def __init__(
        self, identifiers: Sequence[FilterExpression], body: template.NodeList, otherwise: template.NodeList
    ) -> None:
        self.identifiers = identifiers
        self.body, self.otherwise = body, otherwise

    def render(self, context: template.Context) -> str:
        wanted = {str(one.resolve(context)) for one in self.identifiers}
        mine = queries.of_request(context["request"]).identifiers
        return (self.otherwise if mine.isdisjoint(wanted) else self.body).render(context)


@register.tag
def segment(parser: Parser, token: Token) -> SegmentNode:
    """``{% segment "cat_owners" %}…{% else %}…{% endsegment %}``: for visitors in any of these segments."""
    name, *identifiers = token.split_contents()
    if not identifiers:
        raise template.TemplateSyntaxError(f"{name} needs the identifier of a segment.")
    body = parser.parse(("else", "endsegment"))
    otherwise = template.NodeList()
    if parser.next_token().contents == "else":
        otherwise = parser.parse(("endsegment",))
        parser.delete_first_token()
    return SegmentNode([parser.compile_filter(one) for one in identifiers], body, otherwise)


for prefix in pasted.PREFIXES:
    register.simple_tag(track_user, takes_context=True, name=f"{prefix}_track_user")
    register.simple_tag(recommendation_enabled, takes_context=True, name=f"{prefix}_enabled")
