"""A question mark beside a hard word, which leads to what it means."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from config import glossary

register = template.Library()


@register.simple_tag
def term(slug: str) -> SafeString:
    """``{% term "scenario" %}``; raises KeyError for a word that the glossary does not have.

    The meaning is shown by Wagtail's tooltip to the pointer and the keyboard, and read by screen readers.
    """
    known = glossary.find(slug)
    return format_html(
        '<a class="lodestar-term" href="{}#{}" data-controller="w-tooltip" data-w-tooltip-content-value="{}"'
        ' aria-label="{}">?</a>',
        reverse("glossary"),
        slug,
        known.meaning,
        gettext("%(word)s: %(meaning)s") % {"word": known.word, "meaning": known.meaning},
    )
