"""Which pages everybody may see, as a condition inside the query that lists them.

Wagtail's ``public()`` reads every restriction from the database first, once for each list of a page.
"""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Func
from wagtail.models import Page, PageViewRestriction


class IsPrivate(Func):
    """Whether a page, or one above it, is restricted; ``IsPrivate("path")`` for pages of any type.

    Written out, because Django takes half a millisecond to compile the same from querysets, and a page has
    four lists.
    """

    template = (
        f"EXISTS (SELECT 1 FROM {PageViewRestriction._meta.db_table} AS restricted"  # noqa: S608 - our own text
        f" INNER JOIN {Page._meta.db_table} AS top ON top.id = restricted.page_id"
        " WHERE top.path = SUBSTR(%(expressions)s, 1, LENGTH(top.path)))"
    )
    output_field = BooleanField()


def shown(pages: Any) -> Any:
    """Keep the live pages that everybody may see."""
    return pages.live().filter(~IsPrivate("path"))
