"""System checks of item types."""

from __future__ import annotations

from typing import Any

from django.core import checks

from content.items.payload import CLASH_PREFIX, SYSTEM_KEYS, exported
from content.items.types import ItemType, item_types


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
