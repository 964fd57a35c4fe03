"""Which items read an object that is no item itself: a picture, a snippet, a tag, the page behind a link.

Two ways lead there: relations that an item type declares, and what Wagtail's reference index found in rich
text and stream fields. Reference `client-protocol.md` 10.2, W-12: the sources of a relation are announced,
never its destination.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from modelcluster.fields import ParentalKey
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import Page, ReferenceIndex
from wagtail.snippets.models import get_snippet_models

from content.items.pages import keys_of
from content.items.types import item_types


def is_used_by_items(model: type[Model]) -> bool:
    """Whether an item may show a value of this model's rows; asked at every save, so kept in memory."""
    return not issubclass(model, Page) and issubclass(model, _used_models(tuple(_page_models())))


def keys_using(instance: Model) -> set[str]:
    """Return the keys of the pages whose items show something of ``instance``."""
    pages = set(_declaring(instance))
    pages |= _referring(ContentType.objects.get_for_model(_base(type(instance))), [instance.pk])
    return {key for pk in pages for key in keys_of(pk)}


def parents_of(child: Model) -> set[str]:
    """Return the keys of the pages that ``child`` is a row of, a variant of a product for example."""
    pages = {
        getattr(child, field.attname)
        for field in type(child)._meta.concrete_fields
        if isinstance(field, ParentalKey) and issubclass(field.related_model, Page)
    }
    return {key for pk in pages for key in keys_of(pk)}


def keys_declaring(page: Page) -> set[str]:
    """Return the keys of the pages with a relation to ``page``, because they show a field of it."""
    return {key for pk in _declaring(page) for key in keys_of(pk)}


def keys_declaring_below(page: Page) -> set[str]:
    """The same for ``page`` and every page below it."""
    found: set[int] = set()
    for declaring, field in _relations():
        if issubclass(field.related_model, Page):
            rows = declaring._default_manager.filter(**{f"{field.name}__path__startswith": page.path})
            found.update(rows.values_list("pk", flat=True))
    return {key for pk in found for key in keys_of(pk)}


def keys_linking_to(page_ids: Collection[int]) -> set[str]:
    """Return the keys of the pages with a link to one of these pages."""
    pages = _referring(ContentType.objects.get_for_model(Page), page_ids)
    return {key for pk in pages for key in keys_of(pk)}


def _page_models() -> Iterator[type[Model]]:
    return (kind.model for kind in item_types().values() if issubclass(kind.model, Page))


@cache
def _used_models(declared: tuple[type[Model], ...]) -> tuple[type[Model], ...]:
    related = {field.related_model for model in declared for field in _own_relations(model)}
    return (*related, get_image_model(), get_document_model(), *get_snippet_models())


def _own_relations(model: type[Model]) -> Iterator[Any]:
    """Relations that the type declares itself: those of Page are its owner, its locale and the like."""
    for field in model._meta.get_fields():
        outward = (field.many_to_one or field.many_to_many) and not field.auto_created
        if outward and isinstance(field.related_model, type) and field.model is not Page:
            yield field


def _declaring(instance: Model) -> Iterator[int]:
    # A page that moves or is unpublished often comes as plain Page.
    model = type(instance) if not isinstance(instance, Page) else instance.specific_class or Page
    for declaring, field in _relations():
        if issubclass(model, field.related_model):
            pages = declaring._default_manager.filter(**{field.name: instance.pk})
            yield from pages.values_list("pk", flat=True)


def _relations() -> Iterator[tuple[type[Model], Any]]:
    for model in _page_models():
        for field in _own_relations(model):
            yield model, field


def _base(model: type[Model]) -> type[Model]:
    parents = model._meta.get_parent_list()
    return parents[-1] if parents else model


def _referring(kind: ContentType, ids: Collection[Any]) -> set[int]:
    pages = ContentType.objects.get_for_model(Page)
    rows = ReferenceIndex.objects.filter(
        base_content_type=pages, to_content_type=kind, to_object_id__in=[str(pk) for pk in ids]
    )
    return {int(pk) for pk in rows.values_list("object_id", flat=True)}
