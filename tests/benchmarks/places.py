"""Published places of about the demo's size, for benchmarks that need pages rather than rows."""

from __future__ import annotations

from wagtail.models import Locale, Page, Site

from content.models import FolderPage, HomePage, PlacePage

SENTENCE = "<p>A sentence of ordinary length about a place by the sea.</p>"


def build(count: int) -> list[int]:
    """Make a home page with a folder of ``count`` places, all published; return their page ids.

    Needs Django and an installation whose default site is as the migrations leave it.
    """
    locale, _ = Locale.objects.get_or_create(language_code="en")
    root = Page.objects.get(depth=1)
    home = root.add_child(instance=HomePage(title="Magazine", slug="magazine", locale=locale))
    Site.objects.update_or_create(
        is_default_site=True, defaults={"hostname": "localhost", "port": 80, "root_page": home}
    )
    folder = home.add_child(instance=FolderPage(title="Places", locale=locale))
    return [folder.add_child(instance=place(number, locale=locale)).pk for number in range(count)]


def place(number: int, *, locale: Locale) -> PlacePage:
    page = PlacePage(
        title=f"Place {number}",
        locale=locale,
        intro=SENTENCE,
        description=SENTENCE * 5,
        location=f"place {number}",
        latitude=number / 10,
        longitude=-number / 10,
        author="Ana Author",
        authors_position="Editor",
        rating=number % 6,
    )
    page.tags.add("sea", f"tag {number % 10}")
    return page
