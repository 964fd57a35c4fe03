"""Builds the demo site: languages, pictures, pages in English and French, and takes them away again."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from taggit.models import Tag
from wagtail.images import get_image_model
from wagtail.images.models import Filter
from wagtail.models import Collection, Locale, Page, Site
from wagtail.signal_handlers import disable_reference_index_auto_update

from content.demo import catalogue, gallery, pages
from content.demo.gallery import Painting
from content.items.dirty import paused
from content.items.rebuild import rebuild
from content.models import HomePage

Progress = Callable[[str, int, int], None]  # what is being done, done, all


def silent(what: str, done: int, total: int) -> None:
    """The progress of somebody who does not want to know."""


def build(progress: Progress = silent) -> None:
    """Create the demo site unless there is a home page already.

    ``progress`` is called with a short text and two counts. Everything is stored in one transaction, so a
    failure leaves no half site; pictures that were drawn are found again by the next attempt.
    """
    if HomePage.objects.exists():
        return
    gallery.paint(
        Path(settings.MEDIA_ROOT), progress=lambda done, total: progress("Drawing pictures", done, total)
    )
    with quiet(), paused(), disable_reference_index_auto_update(), transaction.atomic():
        pictures = store_pictures()
        grow(pictures, progress)
    # The engine gets everything by the full export that follows; single notices would only repeat it.
    rebuild(announce=False, progress=lambda done, total: progress("Preparing items", done, total))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Wagtail from logging every page: the progress says it in one line."""
    loggers = [logging.getLogger(name) for name in ("wagtail", "django_tasks")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def store_pictures() -> pages.Pictures:
    """Register the drawn files as images with their renditions; returns image ids by entry."""
    model = get_image_model()
    root, media = Collection.get_first_root_node(), Path(settings.MEDIA_ROOT)
    images = {}
    for entry in catalogue.entries():
        name = Painting(key=entry.key).original
        content = (media / name).read_bytes()
        images[entry.key] = model(
            title=entry.texts["en"].title,
            description=entry.texts["en"].caption or entry.texts["en"].title,
            file=name,
            width=1200,
            height=800,
            file_size=len(content),
            file_hash=f"{zlib.crc32(content):08x}",
            collection=root,
        )
    model.objects.bulk_create(images.values())
    rendition = model.get_rendition_model()
    rendition.objects.bulk_create(
        rendition(
            image=image,
            filter_spec=spec,
            focal_point_key=Filter(spec=spec).get_cache_key(image),
            file=name,
            width=width,
            height=height,
        )
        for key, image in images.items()
        for spec, (name, width, height) in Painting(key=key).renditions.items()
    )
    return {key: image.pk for key, image in images.items()}


def grow(pictures: pages.Pictures, progress: Progress) -> None:
    """Create the pages of both languages below the root and point the site at the English home."""
    now = timezone.now()
    tags = make_tags()
    total = len(catalogue.LANGUAGES) * (len(catalogue.folders()) + len(catalogue.entries()))
    done = 0
    for language in catalogue.LANGUAGES:
        locale, _ = Locale.objects.get_or_create(language_code=language)
        parents = plant(locale, pictures, now)
        if language == "en":
            open_site(parents["home"])
        for entry in catalogue.entries():
            page = pages.entry_page(entry, locale=locale, pictures=pictures, now=now, tags=tags)
            parents[entry.folder].add_child(instance=page)
            done += 1
            progress("Writing pages", done + len(catalogue.folders()), total)


def make_tags() -> dict[str, Tag]:
    """Create the tags of both languages once, so that pages need not look each of them up."""
    names = {
        catalogue.tag_name(tag, language)
        for entry in catalogue.entries()
        for tag in entry.tags
        for language in catalogue.LANGUAGES
    }
    return {name: Tag.objects.get_or_create(name=name)[0] for name in sorted(names)}


def plant(locale: Locale, pictures: pages.Pictures, now: datetime) -> dict[str, Page]:
    """Create home and categories of one language; returns them by key."""
    grown: dict[str, Page] = {}
    for folder in (catalogue.home(), *catalogue.folders()):
        parent = grown[folder.parent] if folder.parent else Page.get_first_root_node()
        page = pages.folder_page(folder, locale=locale, pictures=pictures, at=now)
        grown[folder.key] = parent.add_child(instance=page)
    return grown


def open_site(home: Page) -> None:
    """Let the default site show ``home``, and drop the page that a fresh Wagtail greets with."""
    site = Site.objects.filter(is_default_site=True).first() or Site(
        hostname="localhost", is_default_site=True
    )
    welcome = Page.objects.filter(
        pk=site.root_page_id, depth=2, content_type__model="page", numchild=0
    ).first()
    site.root_page, site.site_name = home, str(home.title)
    site.save()
    if welcome is not None:
        welcome.delete()
    home.get_parent().refresh_from_db()


def remove() -> None:
    """Delete the demo's pages and pictures; a site without them is left for the next :func:`build`."""
    with transaction.atomic():
        for home in HomePage.objects.filter(translation_key=pages.translation_key("home")):
            # A site cannot be without a root page and would go with it.
            Site.objects.filter(root_page=home).update(root_page=Page.get_first_root_node())
            home.delete()
        ours = [Painting(key=entry.key).original for entry in catalogue.entries()]
        get_image_model().objects.filter(file__in=ours).delete()
