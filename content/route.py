"""From the words of an address to a page, in one query for all of them.

Wagtail asks twice for each word: for the page, then for what it really is.
"""

from __future__ import annotations

from wagtail.models import Page


def descend(top: Page, slugs: list[str]) -> tuple[Page, list[str]]:
    """Follow ``slugs`` down from ``top``; return the page they lead to and the slugs that are left.

    Slugs are left over where there is no such page, and below a page that routes in a way of its own.
    """
    if not slugs:
        return top, slugs
    tree = Page._get_children_path_interval(top.path)
    rows = Page.objects.filter(path__range=tree, slug__in=slugs, depth__lte=top.depth + len(slugs))
    known = {(row.path[: -Page.steplen], row.slug): row for row in rows}
    page = top
    while slugs and (child := known.get((page.path, slugs[0]))) is not None:
        page, slugs = child, slugs[1:]
        if getattr(page.specific_class, "route", None) is not Page.route:
            break
    return page, slugs
