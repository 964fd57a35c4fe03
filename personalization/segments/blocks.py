"""A block that shows each segment of visitors other content (reference `cdp.md` 4.6).

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.list_block import ListBlockValidationError
from wagtail.blocks.struct_block import StructBlockValidationError

from personalization.segments import choices, queries

logger = logging.getLogger("personalization")

MOST_VARIATIONS = 20
TEMPLATE = "lodestar/targeted.html"


class GoneBlock(blocks.CharBlock):  # type: ignore[misc]
    """Says in the editor which chosen segments were deleted; nothing of it is stored."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)
        self.field.widget = forms.TextInput(attrs={"readonly": True})

    def clean(self, value: Any) -> str:  # noqa: ARG002 - it was written by us
        return ""


class ContentBlock(blocks.StructBlock):  # type: ignore[misc]
    """A page or a text."""

    page = blocks.PageChooserBlock(
        required=False,
        label=_("Content item"),
        help_text=_("Who may not see it gets the next variation."),
    )
    text = blocks.RichTextBlock(required=False, label=_("Or a text"))

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if cleaned["page"] and has_text(cleaned["text"]):
            raise StructBlockValidationError(
                non_block_errors=[
                    ValidationError(gettext("Choose a content item or write a text, not both."))
                ]
            )
        return cleaned


def is_empty(content: Any) -> bool:
    return not content["page"] and not has_text(content["text"])


def has_text(value: Any) -> bool:
    return bool(value and value.source.strip())


class VariationBlock(blocks.StructBlock):  # type: ignore[misc]
    """What the members of some segments see."""

    segments = blocks.MultipleChoiceBlock(
        choices=choices.by_group, widget=forms.CheckboxSelectMultiple, label=_("Segments")
    )
    match = blocks.ChoiceBlock(
        choices=[("any", _("in any of them")), ("all", _("in all of them"))],
        default="any",
        label=_("For visitors who are"),
    )
    content = ContentBlock(label=_("What they see"))
    gone = GoneBlock(
        label=_("Deleted segments"),
        help_text=_("Chosen here, and gone since; they match nobody and are left out with the next change."),
    )

    class Meta:
        icon = "group"
        label = _("Variation")

    def get_form_state(self, value: Any) -> Any:
        state = super().get_form_state(value)
        return state | {"gone": ", ".join(choices.gone(value.get("segments") or []))}

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if is_empty(cleaned["content"]):
            fault = ValidationError(gettext("Choose a content item or write a text."))
            raise StructBlockValidationError(
                block_errors={"content": StructBlockValidationError(non_block_errors=[fault])}
            )
        return cleaned


class TargetingBlock(blocks.StructBlock):  # type: ignore[misc]
    """The first variation that matches, and that the visitor may see; else the fallback; else nothing."""

    is_content = False  # chosen for each visitor, so no content of the page that holds it

    variations = blocks.ListBlock(
        VariationBlock(),
        max_num=MOST_VARIATIONS,
        label=_("Variations"),
        help_text=_("The first whose segments the visitor is in is shown; each segment in one of them only."),
    )
    fallback = ContentBlock(
        label=_("Otherwise"), help_text=_("For who matches none or may not see it; empty: nothing.")
    )

    class Meta:
        icon = "group"
        group = _("Recommendations")
        label = _("Targeting")
        description = _("Other content for each segment of visitors")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if errors := used_twice(cleaned["variations"]):
            raise StructBlockValidationError(
                block_errors={"variations": ListBlockValidationError(block_errors=errors)}
            )
        return cleaned

    def render(self, value: Any, context: Any = None) -> SafeString:
        request = (context or {}).get("request")
        if not isinstance(request, HttpRequest):
            return SafeString("")  # in a feed or an index, where nobody looks
        try:
            return next((html for one in candidates(value, request) if (html := shown(one, request))), EMPTY)
        except Exception:  # a block never takes the page with it
            logger.exception("A targeting block could not be rendered.")
            return EMPTY


EMPTY = SafeString("")


def used_twice(variations: Any) -> dict[int, StructBlockValidationError]:
    """Place of a variation -> the fault that another before it has one of its segments."""
    seen: set[str] = set()
    errors = {}
    for place, one in enumerate(variations):
        if again := seen.intersection(one["segments"]):
            fault = gettext("Another variation has the segment %(segment)s; choose it once.") % {
                "segment": sorted(again)[0]
            }
            errors[place] = StructBlockValidationError(block_errors={"segments": ValidationError(fault)})
        seen.update(one["segments"])
    return errors


def candidates(value: Any, request: HttpRequest) -> Iterator[Any]:
    """What the variations that match the visitor show, in their order, and the fallback."""
    variations = value.get("variations") or ()
    mine = queries.of_request(request).identifiers if variations else frozenset()
    yield from (one.get("content") or {} for one in variations if matches(one, mine))
    yield value.get("fallback") or {}


def matches(variation: Any, mine: frozenset[str]) -> bool:
    """A deleted segment is nobody's."""
    wanted = set(variation.get("segments") or ())
    if variation.get("match") == "all":
        return bool(wanted) and wanted <= mine
    return not wanted.isdisjoint(mine)


def shown(content: Any, request: HttpRequest) -> SafeString:
    """The content as HTML; "" where there is none, or where the visitor may not see it."""
    if page := content.get("page"):
        page = page.localized
        if not is_accessible(page, request):
            return EMPTY
        about = {"page": page.specific, "url": page.get_url(request)}
        return SafeString(render_to_string(TEMPLATE, about, request=request))
    text = content.get("text")
    return mark_safe(str(text)) if has_text(text) else EMPTY  # noqa: S308 - Wagtail has cleaned it


def is_accessible(page: Any, request: HttpRequest) -> bool:
    """Published, and no restriction of it or of a page above keeps this visitor out."""
    return page.live and all(one.accept_request(request) for one in page.get_view_restrictions())
