"""What the demo site's templates list: cards of a category, the newest of a type, the folders below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page as Sheet
from django.core.paginator import Paginator
from django.http import HttpRequest
from wagtail.models import Page

from content import pictures
from content.frame import crumbs, home_of, languages, location_path, menu
from content.items.record import ContentId
from content.items.types import item_types, type_of
from content.models import FolderPage
from content.public import shown

CARDS_PER_PAGE = 24

MOST_NUMBERS = 100_000
_numbers: dict[str, int] = {}


@dataclass(frozen=True, kw_only=True)
class ItemNumbers:
    """How tracking names an item. ``item`` is 0 while the read model does not know it."""

    type: int
    item: int


def subfolders(page: Page) -> list[FolderPage]:
    return with_pictures(shown(FolderPage.objects.child_of(page)).order_by("path"))


def latest(page: Page, identifier: str, *, limit: int = 4) -> list[Page]:
    """Return the newest items of a type in the language of ``page``."""
    model: Any = item_types()[identifier].model
    below = shown(model.objects.descendant_of(home_of(page)))
    return with_pictures(below.order_by("-first_published_at")[:limit])


def cards(page: Page, request: HttpRequest) -> Sheet[Page]:
    """Return one sheet of the items below a category, newest first; ``?page=`` turns the sheets.

    A number that is none or too high shows the nearest sheet.
    """
    below = shown(page.get_descendants()).exact_type(*(t.model for t in item_types().values()))
    ordered = below.order_by("-first_published_at", "-pk").only("pk", "content_type_id")
    sheet = Paginator(ordered, CARDS_PER_PAGE).get_page(request.GET.get("page"))
    sheet.object_list = load(list(sheet.object_list))
    return sheet


def load(pages: list[Page]) -> list[Page]:
    """Fetch the same pages as what they really are, with their pictures, one query a type."""
    found: dict[int, Page] = {}
    for model in dict.fromkeys(page.specific_class for page in pages):
        ids = [page.pk for page in pages if page.specific_class is model]
        found |= {page.pk: page for page in with_pictures(model.objects.filter(pk__in=ids))}
    return [found[page.pk] for page in pages if page.pk in found]


def with_pictures(query: Any) -> list[Any]:
    """Return the pages with their pictures, made ready for cards."""
    found = list(query.select_related("image"))
    pictures.prepare(page.image for page in found)
    return found


def kind(page: Page) -> str:
    """Return the identifier of the page's item type, "" for pages that are no items."""
    declared = type_of(page.specific_class)
    return declared.identifier if declared else ""


def numbers(page: Page) -> ItemNumbers:
    declared = type_of(page.specific_class)
    return ItemNumbers(type=declared.id if declared else 0, item=content_id(str(page.translation_key)))


def content_id(remote_id: str) -> int:
    """The number of a page, 0 as long as it has none. A number never changes."""
    known = _numbers.get(remote_id)
    if known is None:
        found = ContentId.objects.filter(remote_id=remote_id).values_list("content_id", flat=True).first()
        if found is None:
            return 0
        if len(_numbers) >= MOST_NUMBERS:
            _numbers.clear()
        known = _numbers[remote_id] = found
    return known


def functions() -> dict[str, Any]:
    """Return everything that templates may call, by name."""
    named = (menu, crumbs, subfolders, latest, cards, languages, kind, numbers, home_of, location_path)
    return {function.__name__: function for function in named}
