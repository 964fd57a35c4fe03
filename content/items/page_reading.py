"""Pages with what their fields point to, read with one query a type and relation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import models
from wagtail.fields import StreamField
from wagtail.images import get_image_model
from wagtail.images.models import AbstractImage
from wagtail.models import Page

from content.items.payload import exported
from content.items.pictures import RENDITION
from content.items.types import ItemType


def read(wanted: Iterable[tuple[ItemType, Sequence[int]]]) -> dict[int, Page]:
    """Load the specific pages of these ids by their type."""
    found: dict[int, Page] = {}
    for kind, ids in wanted:
        if ids:
            rows = kind.model._default_manager.filter(pk__in=ids)
            fields = _relations(kind)
            single = [field for field in fields if isinstance(field, models.ForeignKey)]
            found |= (
                rows.select_related("owner", *(field.name for field in single))
                .prefetch_related(*(field.name for field in fields if field not in single))
                .prefetch_related(*_renditions(single))
                .in_bulk()
            )
    return found


def _relations(kind: ItemType) -> list[Any]:
    """Return the exported fields that other rows belong to: pictures, tags, variants."""
    names = {attribute.split(".")[0] for _, attribute in exported(kind)}
    return [field for field in kind.model._meta.get_fields() if field.name in names and field.is_relation]


def _renditions(fields: Sequence[models.ForeignKey[Any, Any]]) -> Iterator[models.Prefetch]:  # type: ignore[type-arg]
    """Pictures come with the rendition that items carry, where Wagtail looks for it."""
    for field in fields:
        if issubclass(field.related_model, AbstractImage):
            pictures: Any = field.related_model
            drawn = pictures.get_rendition_model().objects.filter(filter_spec=RENDITION)
            yield models.Prefetch(
                f"{field.name}__renditions", queryset=drawn, to_attr="prefetched_renditions"
            )


def pictures_of(instance: Page) -> Iterator[AbstractImage]:
    for field in instance._meta.concrete_fields:
        if isinstance(field, StreamField):
            yield from _pictures_in(field, getattr(instance, field.name))
        if isinstance(field, models.ForeignKey) and field.is_cached(instance):
            related = getattr(instance, field.name)
            if isinstance(related, AbstractImage):
                yield related


def _pictures_in(field: StreamField, value: Any) -> Iterator[AbstractImage]:
    used = field.extract_references(value)
    ids = {pk for model, pk, *_path in used if issubclass(model, AbstractImage)}
    yield from get_image_model().objects.filter(pk__in=ids) if ids else ()
