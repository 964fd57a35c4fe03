"""The template functions of the connector, for Jinja2.

``{{ track_user(page) }}``, ``{% if recommendation_enabled() %}``, ``{{ show_recommendations("front") }}`` and
``{% for one in recommendations("detail", context=page) %}``; the names of older projects work too.
"""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context

from personalization import debug_bar
from personalization.client import lazy, pasted, recommend, rendering
from personalization.client.answers import Recommendation


@pass_context
def track_user(context: Context, content: Any = None, **options: bool) -> str:
    return rendering.track_user(context["request"], content, **options)


@pass_context
def recommendation_enabled(context: Context) -> bool:
    return rendering.enabled(context["request"])


@pass_context
def recommendations(context: Context, /, scenario: str, **options: Any) -> list[Recommendation]:
    return recommend.recommendations(context["request"], scenario, **options)


@pass_context
def show_recommendations(context: Context, /, scenario: str, **options: Any) -> str:
    return lazy.show_recommendations(context["request"], scenario, **options)


@pass_context
def show_recommendations_action(context: Context, /, *arguments: Any, **options: Any) -> str:
    return pasted.show_recommendations(context["request"], *arguments, **options)


@pass_context
def encore_entry_script_tags(context: Context, /, entry: str, *_build: Any) -> str:
    return pasted.script_tags(context["request"], entry)


@pass_context
def render(context: Context, /, call: pasted.Call) -> str:
    return pasted.render(context["request"], call)


class PersonalizationExtension(Extension):
    """Adds the functions of :mod:`personalization.client.rendering` to the environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals.update(
            {
                "track_user": track_user,
                "recommendation_enabled": recommendation_enabled,
                "recommendations": recommendations,
                "show_recommendations": show_recommendations,
                "show_recommendations_action": show_recommendations_action,
                "encore_entry_script_tags": encore_entry_script_tags,
                "render": render,
                "debug_bar": debug_bar.place,
                "controller": pasted.controller,
            }
            | {f"{prefix}_track_user": track_user for prefix in pasted.PREFIXES}
            | {f"{prefix}_enabled": recommendation_enabled for prefix in pasted.PREFIXES}
        )
