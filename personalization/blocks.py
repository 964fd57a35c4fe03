"""Recommendations as blocks of a stream field. Seed `enable_personalization.md`, display of recommendations.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from content.items.types import item_types
from personalization.client import lazy, recommend
from personalization.client.pasted import known_template, type_number
from personalization.segments import choices, queries
from personalization.segments.blocks import TargetingBlock
from personalization.server.defaults import SCENARIOS

logger = logging.getLogger("personalization")


def kinds() -> list[tuple[str, str]]:
    """The item types to choose from."""
    return [(kind.identifier, kind.name) for kind in item_types().values()]


class Suggested(forms.TextInput):
    """A line of text with the usual scenarios on offer; an engine may have others."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        offered = f"{(attrs or {}).get('id', name)}-suggestions"
        line = super().render(name, value, {**(attrs or {}), "list": offered}, renderer)
        usual = ((scenario, placed.name) for scenario, placed in SCENARIOS.items())
        options = format_html_join("", '<option value="{}">{}</option>', usual)
        return format_html('{}<datalist id="{}">{}</datalist>', line, offered, options)


class ScenarioBlock(blocks.CharBlock):  # type: ignore[misc]
    """The name of a scenario as engines know it."""

    def __init__(self, **options: Any) -> None:
        rule = RegexValidator(
            f"^{recommend.SCENARIO.pattern}$",
            message=_("A scenario has at most 64 letters, digits, hyphens and underscores."),
        )
        super().__init__(validators=[rule], **options)
        self.field.widget = Suggested()


class RecommendationsBlock(blocks.StructBlock):  # type: ignore[misc]
    """What all of them have; chosen for each visitor, so no content of the page that holds it."""

    is_content = False
    scenario_name = ""

    title = blocks.CharBlock(required=False, max_length=200, label=_("Heading"))
    limit = blocks.IntegerBlock(
        default=4, min_value=1, max_value=recommend.MAX_LIMIT, label=_("How many at most")
    )
    item_type = blocks.ChoiceBlock(
        choices=kinds,
        required=False,
        label=_("Only of this type"),
        help_text=_("Empty: what the scenario says"),
    )
    in_browser = blocks.BooleanBlock(
        required=False,
        label=_("Load in the browser"),
        help_text=_("The page is then the same for every visitor and may be kept by caches."),
    )

    class Meta:
        icon = "pick"
        group = _("Recommendations")

    def render(self, value: Any, context: Any = None) -> SafeString:
        request = (context or {}).get("request")
        if not isinstance(request, HttpRequest):
            return SafeString("")  # in a feed or an index, where nobody looks
        try:
            return self.shown(request, value, page=(context or {}).get("page"))
        except Exception:  # a block never takes the page with it
            logger.exception("A block of recommendations could not be rendered.")
            return SafeString("")

    def shown(self, request: HttpRequest, value: Any, *, page: Any) -> SafeString:
        options = self.options(value, page=page)
        scenario = str(value.get("scenario") or self.scenario_name)
        return lazy.show_recommendations(request, scenario, lazy=bool(value.get("in_browser")), **options)

    def options(self, value: Any, *, page: Any) -> dict[str, Any]:
        return {
            "title": value.get("title") or "",
            "limit": value.get("limit") or recommend.DEFAULT_LIMIT,
            "output_type_id": type_number(value.get("item_type")),
            "context": page,
        }


class PersonalizedListBlock(RecommendationsBlock):
    """Any scenario."""

    scenario = ScenarioBlock(
        default="front",
        label=_("Scenario"),
        help_text=_("Which question the engine is asked, as it is called there"),
    )
    category = blocks.BooleanBlock(required=False, label=_("Only from the folder of this page"))
    template = blocks.CharBlock(
        required=False,
        max_length=200,
        label=_("Template"),
        help_text=_("Of the project, such as cards.html; empty or unknown: the usual one"),
    )

    class Meta:
        icon = "pick"
        label = _("Personalized list")
        description = _("What an engine chooses for each visitor")

    def options(self, value: Any, *, page: Any) -> dict[str, Any]:
        return super().options(value, page=page) | {
            "use_context_category_path": True if value.get("category") else None,
            "template": known_template(value.get("template") or ""),
        }


class TargetBlock(blocks.StructBlock):  # type: ignore[misc]
    """What the members of one segment see."""

    segment = blocks.ChoiceBlock(choices=choices.by_group, label=_("Segment"))
    scenario = ScenarioBlock(label=_("Scenario"))

    class Meta:
        icon = "group"
        label = _("Rule")


class DynamicTargetingBlock(RecommendationsBlock):
    """A scenario for each segment; the first rule that holds wins (`engine-protocol.md` 7.9).

    Which one a visitor gets is decided while the page is made, so it cannot be left to the browser.
    """

    in_browser = None
    rules = blocks.ListBlock(
        TargetBlock(),
        default=[],
        max_num=20,
        label=_("Rules"),
        help_text=_("The first rule whose segment the visitor is in decides."),
    )
    scenario = ScenarioBlock(
        default="front", label=_("Otherwise"), help_text=_("The scenario for everybody else")
    )

    class Meta:
        icon = "group"
        label = _("Dynamic targeting")
        description = _("Another scenario for each segment of visitors")

    def shown(self, request: HttpRequest, value: Any, *, page: Any) -> SafeString:
        mine = queries.of_request(request).identifiers
        chosen = next((rule for rule in value.get("rules", ()) if rule.get("segment") in mine), value)
        options = self.options(value, page=page)
        return lazy.show_recommendations(request, str(chosen.get("scenario")), lazy=False, **options)


class BestsellersBlock(RecommendationsBlock):
    scenario_name = "bestsellers"

    class Meta:
        icon = "success"
        label = _("Bestsellers")
        description = _("What is bought most")


class PopularBlock(RecommendationsBlock):
    scenario_name = "popular"

    class Meta:
        icon = "view"
        label = _("Most popular")
        description = _("What is looked at most")


class RecentlyAddedBlock(RecommendationsBlock):
    scenario_name = "recently_added"

    class Meta:
        icon = "plus-inverse"
        label = _("Recently added")
        description = _("What is new")


class RecentlyViewedBlock(RecommendationsBlock):
    scenario_name = "recently_viewed"

    class Meta:
        icon = "history"
        label = _("Recently viewed")
        description = _("What this visitor looked at last")


# Those that ask an engine.
RECOMMENDING: dict[str, type[RecommendationsBlock]] = {
    "personalized_list": PersonalizedListBlock,
    "dynamic_targeting": DynamicTargetingBlock,
    "bestsellers": BestsellersBlock,
    "most_popular": PopularBlock,
    "recently_added": RecentlyAddedBlock,
    "recently_viewed": RecentlyViewedBlock,
}
BLOCKS: dict[str, type[blocks.Block]] = {**RECOMMENDING, "targeting": TargetingBlock}
