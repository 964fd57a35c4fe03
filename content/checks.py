"""System checks of item types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
