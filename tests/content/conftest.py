"""A small site of two languages, as the demo has it."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import pytest
from django.core.files.images import ImageFile
from PIL import Image as Picture
from wagtail.images.models import Image
from wagtail.models import Locale, Page, Site

from content.models import FolderPage, HomePage, PlacePage


@dataclass
class Magazine:
    site: Site
    home: HomePage
    places: FolderPage
    articles: FolderPage
    shop: FolderPage
    en: Locale
    fr: Locale

    def place(self, title: str = "Kochin, India", **fields: object) -> PlacePage:
        return self.places.add_child(instance=PlacePage(title=title, **fields))


@pytest.fixture
def magazine(db: None) -> Magazine:
    """One Wagtail site with English and French, three folders and no items."""
    en, _ = Locale.objects.get_or_create(language_code="en")
    fr, _ = Locale.objects.get_or_create(language_code="fr")
    root = Page.objects.get(depth=1)
    home = root.add_child(instance=HomePage(title="Lodestar", slug="lodestar", locale=en))
    Site.objects.all().delete()
    site = Site.objects.create(hostname="localhost", port=80, root_page=home, is_default_site=True)
    folders = [
        home.add_child(instance=FolderPage(title=title, locale=en))
        for title in ("Places", "Articles", "Shop")
    ]
    return Magazine(site, home, *folders, en, fr)


@pytest.fixture
def picture(db: None) -> Image:
    file = BytesIO()
    Picture.new("RGB", (900, 700), "teal").save(file, "JPEG")
    return Image.objects.create(title="Teal", file=ImageFile(BytesIO(file.getvalue()), name="teal.jpg"))
