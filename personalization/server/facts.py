"""What the item store and the user API know, in the form in which models learn from it."""

from __future__ import annotations

from collections.abc import Iterator

from personalization.server.learning.events import Facts
from personalization.server.models import StoredItem, UserAttributes
from personalization.server.people import NOMINAL

READ_AT_ONCE = 2_000
# From so many characters on an attribute is a text to read.
LONG = 80


def items(customer_id: str) -> Iterator[Facts]:
    """Every stored item once, with what its languages say together."""
    rows = (
        StoredItem.objects.filter(customer_id=customer_id)
        .order_by("item_type", "item_id", "language")
        .values_list("item_type", "item_id", "attributes", "content", "category_paths", "added_at")
    )
    known: Facts | None = None
    for item_type, item_id, attributes, content, categories, added in rows.iterator(chunk_size=READ_AT_ONCE):
        told = [(key, kind, value) for key, kind, value in attributes]
        long = [(key, text) for key, text in content]
        long += [(key, value) for key, kind, value in told if kind == "TEXT" and len(value) >= LONG]
        if known is not None and known.key == (item_type, item_id):
            told = list(dict.fromkeys([*known.attributes, *told]))
            long = [*known.texts, *long]
            categories = list(dict.fromkeys([*known.categories, *categories]))
        elif known is not None:
            yield known
        known = Facts(
            key=(item_type, item_id),
            attributes=told,
            texts=long,
            categories=categories,
            added=added.timestamp(),
        )
    if known is not None:
        yield known


def people(customer_id: str) -> dict[str, list[str]]:
    """By pseudonym what is told of somebody, as "key=value"; nominal attributes of all sources."""
    rows = UserAttributes.objects.filter(customer_id=customer_id).values_list("user", "attributes")
    found: dict[str, list[str]] = {}
    for user, attributes in rows.iterator(chunk_size=READ_AT_ONCE):
        found.setdefault(user, []).extend(traits(attributes))
    return found


def traits(attributes: list[list[str]]) -> list[str]:
    return [f"{key}={value}" for key, kind, value in attributes if kind == NOMINAL]
