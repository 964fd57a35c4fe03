"""System checks of item types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.core import checks

from config import site_access
from config.checks import Finding, part
from config.site_access.scopes import did_you_mean
from content.items.payload import CLASH_PREFIX, SYSTEM_KEYS, exported
from content.items.types import ItemType, item_types


@part("item types")
def item_types_of_sites() -> Iterator[Finding]:
    """Every type that a site exports or falls back to must be declared by some model."""
    declared, sites = list(item_types()), site_access.configured_sites()
    asked = {kind: one.name for one in sites for kind in (*one.included_item_types, *one.random_item_types)}
    for kind, site in asked.items():
        if kind in declared:
            continue
        hint = did_you_mean(kind, declared)
        yield Finding(
            "item types",
            f"site {site} names the item type {kind!r}, which no model declares.{hint}",
            "Correct the sites file, or declare it with @item_type.",
        )
    if sites and not asked:
        yield Finding(
            "item types",
            "no site names an item type, so nothing is exported and no view is tracked",
            "Name those of your pages as included_item_types in the sites file.",
        )


@part("items of sites")
def items_of_sites() -> Iterator[Finding]:
    """What entries say of authors and related objects must name what exists."""
    users = get_user_model()._default_manager
    for site in site_access.configured_sites():
        if site.author_id and not users.filter(pk=site.author_id).exists():
            yield Finding(
                f"site {site.name}",
                f"author_id names user {site.author_id}, whom nobody is: items without owner have no author",
                "Correct author_id in the sites file, or leave it out.",
            )
        for name in (name for pair in site.field_relations.items() for name in pair):
            if problem := missing_field(name):
                yield Finding(
                    f"site {site.name}",
                    f"field.relations names {name!r}, and the field is null: {problem}",
                    "Correct field.relations in the sites file.",
                )


def missing_field(name: str) -> str:
    """What is wrong with ``type.field`` of the sites file, "" if nothing is."""
    identifier, _, field = name.partition(".")
    kind = item_types().get(identifier)
    if kind is None:
        return (
            f"no model declares the item type {identifier!r}.{did_you_mean(identifier, list(item_types()))}"
        )
    fields = dict(exported(kind))
    if field in fields or hasattr(kind.model, field.split(".")[0]):
        return ""
    return f"{identifier!r} has no such field.{did_you_mean(field, list(fields))}"


@checks.register
def item_type_fields(**_: Any) -> list[checks.CheckMessage]:
    """Field maps must name attributes that exist and must not overwrite an item's own keys."""
    return [message for kind in item_types().values() for message in _of(kind)]


def _of(kind: ItemType) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    for name, attribute in exported(kind):
        if name in SYSTEM_KEYS:
            found.append(
                checks.Warning(
                    f"The field {name!r} of item type {kind.identifier!r} has the name of a key that every "
                    f"item has; it is exported as {CLASH_PREFIX + name!r}.",
                    hint="Give it another exported identifier in @item_type(fields={...}).",
                    obj=kind.model,
                    id="content.W001",
                )
            )
        if not hasattr(kind.model, attribute.split(".")[0]):
            found.append(
                checks.Error(
                    f"Item type {kind.identifier!r} exports {name!r} from the attribute {attribute!r}, "
                    "which the model does not have.",
                    obj=kind.model,
                    id="content.E001",
                )
            )
    return found
