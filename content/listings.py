"""What the demo site's templates list: menus, cards of a category, the newest of a type, translations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.core.paginator import Page as Sheet
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest
from wagtail.images import get_image_model
from wagtail.models import Page

from content.items.pages import location_path
from content.items.record import ContentId
from content.items.types import item_types, type_of
from content.models import FolderPage

T = TypeVar("T")
CARDS_PER_PAGE = 24
# The size of pictures on cards, the same that the read model exports.
RENDITION = "fill-800x600|format-jpeg"


@dataclass(frozen=True, kw_only=True)
class Language:
    """One entry of the language switch."""

    code: str
    name: str
    url: str
    current: bool


@dataclass(frozen=True, kw_only=True)
class ItemNumbers:
    """How tracking names an item. ``item`` is 0 while the read model does not know it."""

    type: int
    item: int


def once(function: Callable[[Page], T]) -> Callable[[Page], T]:
    """Remember the answer on the page object, which lives as long as its request.

    Header, body and footer of one page ask the same.
    """

    @wraps(function)
    def remembered(page: Page) -> T:
        known: dict[str, T] = page.__dict__.setdefault("_listings", {})
        if function.__name__ not in known:
            known[function.__name__] = function(page)
        return known[function.__name__]

    return remembered


@once
def home_of(page: Page) -> Page:
    """Return the home page of the page's language: homes are the children of the root."""
    return page if page.depth <= 2 else page.get_ancestors().get(depth=2).specific


@once
def menu(page: Page) -> list[Page]:
    return list(home_of(page).get_children().live().public().in_menu())


def crumbs(page: Page) -> list[Page]:
    """Return the pages above ``page``, home first."""
    return list(page.get_ancestors().filter(depth__gte=2))


def subfolders(page: Page) -> list[FolderPage]:
    below = FolderPage.objects.child_of(page).live().public()
    return list(with_pictures(below).order_by("path"))


def latest(page: Page, identifier: str, *, limit: int = 4) -> list[Page]:
    """Return the newest items of a type in the language of ``page``."""
    model: Any = item_types()[identifier].model
    below = model.objects.descendant_of(home_of(page)).live().public()
    return list(with_pictures(below).order_by("-first_published_at")[:limit])


def cards(page: Page, request: HttpRequest) -> Sheet[Page]:
    """Return one sheet of the items below a category, newest first; ``?page=`` turns the sheets.

    A number that is none or too high shows the nearest sheet.
    """
    below = page.get_descendants().live().public().exact_type(*(t.model for t in item_types().values()))
    ordered = below.order_by("-first_published_at", "-pk")
    sheet = Paginator(ordered, CARDS_PER_PAGE).get_page(request.GET.get("page"))
    sheet.object_list = load([page.pk for page in sheet.object_list])
    return sheet


def load(ids: list[int]) -> list[Page]:
    """Fetch pages of several types with their pictures, three queries a type, in the order of ``ids``."""
    found: dict[int, Page] = {}
    for declared in item_types().values():
        model: Any = declared.model
        found |= {page.pk: page for page in with_pictures(model.objects.filter(pk__in=ids))}
    return [found[pk] for pk in ids if pk in found]


def with_pictures(query: Any) -> Any:
    pictures = get_image_model().objects.prefetch_renditions(RENDITION)
    return query.prefetch_related(Prefetch("image", queryset=pictures))


def languages(page: Page, request: HttpRequest) -> list[Language]:
    """Return this page in every language; where it is not translated, the home page of that language."""
    codes = dict(settings.LANGUAGES)
    own = page.locale.language_code
    found = {other.locale.language_code: other for other in translations(page)}
    homes = {other.locale.language_code: other for other in translations(home_of(page))}
    return [
        Language(code=code, name=str(name), url=target.get_url(request) or "/", current=code == own)
        for code, name in codes.items()
        if (target := page if code == own else found.get(code) or homes.get(code)) is not None
    ]


@once
def translations(page: Page) -> list[Page]:
    return list(page.get_translations().live().public().select_related("locale"))


def kind(page: Page) -> str:
    """Return the identifier of the page's item type, "" for pages that are no items."""
    declared = type_of(page.specific_class)
    return declared.identifier if declared else ""


def numbers(page: Page) -> ItemNumbers:
    declared = type_of(page.specific_class)
    known = ContentId.objects.filter(remote_id=str(page.translation_key)).values_list("content_id", flat=True)
    return ItemNumbers(type=declared.id if declared else 0, item=known.first() or 0)


def functions() -> dict[str, Any]:
    """Return everything that templates may call, by name."""
    named = (menu, crumbs, subfolders, latest, cards, languages, kind, numbers, home_of, location_path)
    return {function.__name__: function for function in named}
