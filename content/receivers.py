"""Wagtail's changes become dirty rows in the transaction that makes them.

Wagtail's own page signals come after the commit and miss aliases, subtrees, privacy, pictures and sites;
`post_save` and `post_delete` come inside it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from wagtail.models import Page, PageViewRestriction, Site

from content.items import relations
from content.items.dirty import mark
from content.items.pages import NAME, keys_of
from content.items.types import type_of


def connect() -> None:
    """Listen to every model whose changes can change an item."""
    uid = "content.items"
    pre_save.connect(_page_before, dispatch_uid=uid)
    post_save.connect(_page_saved, dispatch_uid=uid)
    pre_delete.connect(_page_about_to_go, dispatch_uid=uid)
    for signal in (post_save, post_delete):
        signal.connect(_privacy_changed, sender=PageViewRestriction, dispatch_uid=f"{uid}.privacy")
        signal.connect(_site_changed, sender=Site, dispatch_uid=f"{uid}.site")
    for signal in (post_save, pre_delete):
        signal.connect(_used_object_changed, dispatch_uid=f"{uid}.used")


def _page_before(sender: type[Model], instance: Any, **_: Any) -> None:
    if issubclass(sender, Page) and instance.pk:
        before = Page.objects.filter(pk=instance.pk).values("url_path", "alias_of_id").first()
        instance._before_this_save = before


def _page_saved(sender: type[Model], instance: Any, **_: Any) -> None:
    if not issubclass(sender, Page):
        return
    before = getattr(instance, "_before_this_save", None) or {}
    keys = keys_of(instance.pk) if _is_item(instance) else set()
    if before.get("alias_of_id") != instance.alias_of_id:
        keys |= keys_of(before.get("alias_of_id"))
    keys |= relations.keys_declaring(instance)
    moved = bool(before) and before["url_path"] != instance.url_path
    if moved:
        below = Page.objects.filter(path__startswith=instance.path).values_list("pk", flat=True)
        keys |= relations.keys_linking_to(below)
    mark(NAME, keys, subtrees=[str(instance.pk)] if moved else [])


def _is_item(page: Page) -> bool:
    # The sender of a move or an unpublication is often plain Page.
    return page.specific_class is not None and type_of(page.specific_class) is not None


def _page_about_to_go(sender: type[Model], instance: Any, **_: Any) -> None:
    # Django deletes the parts of a page one by one; the part called Page exists in each.
    if sender._meta.label != Page._meta.label:
        return
    # Links to it lead nowhere from now on.
    mark(NAME, relations.keys_linking_to([instance.pk]))
    if _is_item(instance):
        # Its aliases stay behind as pages of their own.
        aliases = Page.objects.filter(alias_of_id=instance.pk).values_list("translation_key", flat=True)
        mark(NAME, keys_of(instance.pk) | {str(key) for key in aliases})


def _privacy_changed(instance: PageViewRestriction, **_: Any) -> None:
    # Pages beyond it may show a field of a page that nobody may read now, or that everybody may read again.
    page = Page.objects.filter(pk=instance.page_id).first()
    keys = relations.keys_declaring_below(page) if page else set()
    mark(NAME, keys, subtrees=[str(instance.page_id)])


def _site_changed(**_: Any) -> None:
    """A new root moves items between sites and changes every address below it."""
    tops = Page.objects.filter(depth=1).values_list("pk", flat=True)
    mark(NAME, (), subtrees=[str(pk) for pk in tops])


def _used_object_changed(sender: type[Model], instance: Any, **_: Any) -> None:
    if relations.is_used_by_items(sender):
        mark(NAME, relations.keys_using(instance))
    if not issubclass(sender, Page) and (parents := relations.parents_of(instance)):
        mark(NAME, parents)
