"""Which pages everybody may see, as a condition inside the query that lists them.

Wagtail's ``public()`` reads every restriction from the database first, once for each list of a page.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Length, Substr
from wagtail.models import PageViewRestriction


def is_private() -> Exists:
    """The condition that a page, or one above it, is restricted; for pages of any type."""
    own_beginning = Substr(OuterRef("path"), 1, Length(F("page__path")))
    return Exists(PageViewRestriction.objects.filter(page__path=own_beginning))


def shown(pages: Any) -> Any:
    """Keep the live pages that everybody may see."""
    return pages.live().filter(~is_private())
