"""What surrounds the body of every page: home, main menu, the pages above, the language switch.

One query for all of it: header, body and footer ask for the same few pages.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from wagtail.models import Page

from content.public import IsPrivate

HOME_DEPTH = 2  # homes are the children of the root


@dataclass(frozen=True, kw_only=True)
class Language:
    """One entry of the language switch."""

    code: str
    name: str
    url: str
    current: bool


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The pages around one page. ``versions``: language code -> where its switch leads."""

    above: list[Page]  # from the root down to the parent
    home: Page
    menu: list[Page]
    code: str  # language of the page itself
    versions: dict[str, Page]


def frame_of(page: Page) -> Frame:
    """Return the frame, remembered on the page object, which lives as long as its request."""
    known: Frame | None = page.__dict__.get("_frame")
    if known is None:
        known = page.__dict__["_frame"] = read(page)
    return known


def read(page: Page) -> Frame:
    step = Page.steplen
    home_path = page.path[: HOME_DEPTH * step]
    paths_above = [page.path[:end] for end in range(step, len(page.path), step)]
    keys = Page.objects.filter(path__in=[home_path, page.path]).order_by().values("translation_key")
    # The interval that the tree's own queries use: unlike a prefix it is found in the index.
    children = Page._get_children_path_interval(home_path)
    in_menu = Q(path__range=children, depth=HOME_DEPTH + 1, show_in_menus=True)
    rows = list(
        Page.objects.filter(Q(path__in=paths_above) | Q(translation_key__in=keys) | in_menu)
        .select_related("locale")
        .annotate(is_private=IsPrivate("path"))
        .order_by("path")
    )
    by_path = {row.path: row for row in rows}
    codes = {row.locale_id: row.locale.language_code for row in rows}
    home = by_path.get(home_path, page) if page.depth > HOME_DEPTH else page
    shown = [row for row in rows if row.live and not row.is_private]
    return Frame(
        above=[by_path[path] for path in paths_above if path in by_path],
        home=home,
        menu=[row for row in shown if row.depth == HOME_DEPTH + 1 and is_entry(row, home)],
        code=codes.get(page.locale_id) or page.locale.language_code,
        versions=versions(page, home, shown),
    )


def is_entry(row: Page, home: Page) -> bool:
    return bool(row.show_in_menus and row.path.startswith(home.path))


def versions(page: Page, home: Page, shown: list[Page]) -> dict[str, Page]:
    """The page in its other languages; where it is not translated, the home page of that language."""
    return {
        row.locale.language_code: row
        for original in (home, page)
        for row in shown
        if row.translation_key == original.translation_key and row.pk != original.pk
    }


def home_of(page: Page) -> Page:
    """Return the home page of the page's language."""
    return frame_of(page).home


def menu(page: Page) -> list[Page]:
    return frame_of(page).menu


def crumbs(page: Page) -> list[Page]:
    """Return the pages above ``page``, home first."""
    return [above for above in frame_of(page).above if above.depth >= HOME_DEPTH]


def location_path(page: Page) -> str:
    """Return "/1/3/12/": the ids of the page's ancestors and its own, as items carry them."""
    return "/" + "".join(f"{each.pk}/" for each in (*frame_of(page).above, page))


def languages(page: Page, request: HttpRequest) -> list[Language]:
    """Return this page in every language that has it, or at least a home page."""
    frame = frame_of(page)
    targets = frame.versions | {frame.code: page}
    return [
        Language(code=code, name=str(name), url=target.get_url(request) or "/", current=target is page)
        for code, name in settings.LANGUAGES
        if (target := targets.get(code)) is not None
    ]
