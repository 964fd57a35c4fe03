"""A small site of two languages, as the demo has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO

import orjson
import pytest
from django.core.files.images import ImageFile
from django.test import TestCase
from PIL import Image as Picture
from wagtail.images.models import Image
from wagtail.models import Locale, Page, Site

from content.items.record import Item
from content.models import FolderPage, HomePage, PlacePage
from content.signals import ItemRef, item_changed, item_removed


@dataclass
class Magazine:
    site: Site
    root: Page
    home: HomePage
    places: FolderPage
    articles: FolderPage
    shop: FolderPage
    en: Locale
    fr: Locale

    def place(self, title: str = "Kochin, India", **fields: object) -> PlacePage:
        self.places.refresh_from_db()
        return self.places.add_child(instance=PlacePage(title=title, **fields))


@dataclass
class News:
    """What the layers above were told."""

    changed: list[ItemRef] = field(default_factory=list)
    removed: list[ItemRef] = field(default_factory=list)

    def clear(self) -> None:
        self.changed.clear()
        self.removed.clear()


@contextmanager
def committed() -> Iterator[None]:
    """Run what waits for the commit, as it would outside of a test's transaction."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        yield


def stored(page: Page, language: str = "eng-GB", *, site: Site | None = None) -> dict[str, object] | None:
    """Return the visible item of a page as JSON, or None."""
    rows = Item.objects.filter(remote_id=page.translation_key, language=language, is_visible=True)
    if site is not None:
        rows = rows.filter(site_id=site.pk)
    row = rows.first()
    return None if row is None else orjson.loads(bytes(row.payload))


@pytest.fixture
def magazine(db: None) -> Magazine:
    """One Wagtail site with English and French, three folders and no items."""
    en, _ = Locale.objects.get_or_create(language_code="en")
    fr, _ = Locale.objects.get_or_create(language_code="fr")
    root = Page.objects.filter(depth=1).first() or Page.add_root(
        instance=Page(title="Root", slug="root", locale=en)
    )
    home = root.add_child(instance=HomePage(title="Lodestar", slug="lodestar", locale=en))
    Site.objects.all().delete()
    site = Site.objects.create(hostname="localhost", port=80, root_page=home, is_default_site=True)
    folders = [
        home.add_child(instance=FolderPage(title=title, locale=en))
        for title in ("Places", "Articles", "Shop")
    ]
    return Magazine(site, root, home, *folders, en, fr)


@pytest.fixture
def news() -> Iterator[News]:
    told = News()

    def changed(refs: list[ItemRef], **_: object) -> None:
        told.changed += refs

    def removed(refs: list[ItemRef], **_: object) -> None:
        told.removed += refs

    item_changed.connect(changed)
    item_removed.connect(removed)
    yield told
    item_changed.disconnect(changed)
    item_removed.disconnect(removed)


@pytest.fixture
def picture(db: None) -> Image:
    return Image.objects.create(title="Teal", file=ImageFile(BytesIO(drawn("teal")), name="teal.png"))


def drawn(color: str) -> bytes:
    file = BytesIO()
    Picture.new("RGB", (900, 700), color).save(file, "PNG")
    return file.getvalue()
