"""Two page types; one is shown by a Django template, the other by Jinja2."""

from __future__ import annotations

from django.db import models
from wagtail.admin.panels import FieldPanel
from wagtail.models import Page

from content.items.types import item_type


@item_type("recipe", id=41)
class RecipePage(Page):  # type: ignore[misc]
    intro = models.TextField(blank=True)
    minutes = models.PositiveSmallIntegerField(default=30)

    content_panels = [*Page.content_panels, FieldPanel("intro"), FieldPanel("minutes")]


@item_type("cook", id=42, fields={"name": "title"})
class CookPage(Page):  # type: ignore[misc]
    pass
