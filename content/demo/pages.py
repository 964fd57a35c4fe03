"""An entry of the catalogue as an unsaved page of its type."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.utils.text import slugify
from taggit.models import Tag
from wagtail.models import Locale, Page

from content.demo import catalogue, markup
from content.demo.catalogue import Entry, Folder, Text
from content.models import ArticlePage, FolderPage, HomePage, PlacePage, ProductPage, ProductVariant

Pictures = dict[str, int]  # key of an entry -> id of its image


def translation_key(key: str) -> UUID:
    """The same for both languages and in every installation, so that checks can name an item."""
    return uuid5(NAMESPACE_URL, f"lodestar:demo:{key}")


def common(text: Text, *, key: str, locale: Locale, at: datetime) -> dict[str, Any]:
    return {
        "title": text.title,
        "draft_title": text.title,
        "slug": text.slug or slugify(text.title.replace("’", "").replace("'", "-").replace("œ", "oe")),
        "locale": locale,
        "translation_key": translation_key(key),
        "live": True,
        "show_in_menus": key in ("places-tastes", "stories", "shop"),
        "first_published_at": at,
        "last_published_at": at,
        "latest_revision_created_at": at,
        "search_description": text.intro or text.subtitle,
    }


def folder_page(folder: Folder, *, locale: Locale, pictures: Pictures, at: datetime) -> Page:
    text = folder.texts[locale.language_code]
    fields = common(text, key=folder.key, locale=locale, at=at)
    fields |= {"intro": markup.rich([text.intro]), "image_id": pictures.get(folder.picture_of)}
    if not folder.parent:
        return HomePage(**fields, tagline=text.tagline)
    return FolderPage(**fields)


def entry_page(
    entry: Entry, *, locale: Locale, pictures: Pictures, now: datetime, tags: dict[str, Tag]
) -> Page:
    text, language = entry.texts[locale.language_code], locale.language_code
    at = now - timedelta(days=entry.age_in_days)
    fields = common(text, key=entry.key, locale=locale, at=at) | {"image_id": pictures.get(entry.key)}
    page = KINDS[entry.kind](entry, text, fields, at, pictures)
    page.tags.add(*(tags[catalogue.tag_name(tag, language)] for tag in entry.tags))
    return page


def signed(entry: Entry, text: Text, at: datetime) -> dict[str, Any]:
    language = "fr" if text is entry.texts["fr"] else "en"
    return {
        "intro": markup.rich([text.intro]),
        "caption": markup.rich([text.caption]),
        "author": entry.author,
        "authors_position": entry.position[language],
        "publication_date": at,
    }


def place_page(entry: Entry, text: Text, fields: dict[str, Any], at: datetime, pictures: Pictures) -> Page:
    latitude, longitude = entry.coordinates or (None, None)
    return PlacePage(
        **fields,
        **signed(entry, text, at),
        description=markup.rich(text.body),
        location=text.title.lower(),
        latitude=latitude,
        longitude=longitude,
        rating=entry.rating,
    )


def article_page(entry: Entry, text: Text, fields: dict[str, Any], at: datetime, pictures: Pictures) -> Page:
    illustration = pictures.get(entry.illustration)
    return ArticlePage(
        **fields,
        **signed(entry, text, at),
        body=json.dumps(
            markup.blocks(text.body, name=f"{entry.key}:{fields['slug']}", illustration=illustration)
        ),
        reading_minutes=2 + len(" ".join(text.body).split()) // 60,
    )


def product_page(entry: Entry, text: Text, fields: dict[str, Any], at: datetime, pictures: Pictures) -> Page:
    locale: Locale = fields["locale"]
    page = ProductPage(
        **fields,
        subtitle=text.subtitle,
        description=markup.rich(text.body),
        sku=entry.sku,
        price=entry.price,
        currency="EUR",
        brand=entry.brand,
        color=catalogue.colour_name(entry.colour, locale.language_code),
    )
    page.variants = [
        ProductVariant(
            name=", ".join(
                filter(None, (catalogue.colour_name(each.colour, locale.language_code), each.size))
            ),
            sku=f"{entry.sku}-{each.sku}",
            price=each.price,
            color=catalogue.colour_name(each.colour, locale.language_code),
            size=each.size,
            locale=locale,
            translation_key=translation_key(f"{entry.key}:{each.sku}"),
            sort_order=place,
        )
        for place, each in enumerate(entry.variants)
    ]
    return page


Maker = Callable[[Entry, Text, dict[str, Any], datetime, Pictures], Page]
KINDS: dict[str, Maker] = {"place": place_page, "article": article_page, "product": product_page}
