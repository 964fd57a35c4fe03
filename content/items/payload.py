"""The bytes of an item: reference `client-protocol.md` 4.4, key order included."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import DatabaseError, models

from content.items.scoped import related_value
from content.items.sources import SourceItem
from content.items.types import ItemType

logger = logging.getLogger("personalization")

MEDIA_TYPE = "application/vnd.ibexa.api."
SYSTEM_KEYS = (
    "_media-type",
    "contentId",
    "contentTypeId",
    "identifier",
    "language",
    "publishedDate",
    "author",
    "uri",
    "categoryPath",
    "mainLocation",
    "locations",
)
# A field must not overwrite the identity of its item (W-19).
CLASH_PREFIX = "field_"
# What a model declares without meaning it for the public.
_NOT_EXPORTED = (models.AutoField, models.OneToOneField)


def build(item: SourceItem, *, content_id: int, published_at: datetime) -> bytes:
    """Return the complete item as JSON; ``published_at`` must be aware."""
    main = item.category_paths[0] if item.category_paths else "/"
    system = {
        "_media-type": f"{MEDIA_TYPE}Content+json",
        "contentId": content_id,
        "contentTypeId": item.item_type.id,
        "identifier": item.item_type.identifier,
        "language": item.language,
        "publishedDate": published_at.astimezone(UTC).isoformat(timespec="seconds"),
        "author": item.author,
        "uri": item.uri,
        "categoryPath": main if len(item.category_paths) <= 1 else list(item.category_paths),
        "mainLocation": {
            "_media-type": f"{MEDIA_TYPE}mainLocation+json",
            "_href": f"/api/ezp/v2/content/locations{main}",
        },
        "locations": {
            "_media-type": f"{MEDIA_TYPE}locations+json",
            "_href": f"/api/ezp/v2/content/objects/{content_id}/locations",
        },
    }
    fields = {
        _safe(name): _read(item, name, attribute, content_id) for name, attribute in exported(item.item_type)
    }
    return orjson.dumps(system | fields)


def exported(item_type: ItemType) -> Iterator[tuple[str, str]]:
    """Yield (exported identifier, attribute) of a type, in the order of the payload."""
    if item_type.fields is not None:
        yield from item_type.fields.items()
        return
    for field in (*_inherited_titles(item_type), *item_type.model._meta.local_fields):
        if not isinstance(field, _NOT_EXPORTED) and field.name != item_type.author:
            yield field.name, field.name
    for many in item_type.model._meta.local_many_to_many:
        yield many.name, many.name


def _inherited_titles(item_type: ItemType) -> Iterator[models.Field]:  # type: ignore[type-arg]
    """The title of a page is a field of its parent, and an item without one cannot be shown."""
    for field in item_type.model._meta.concrete_fields:
        if field.name == "title" and field.model is not item_type.model:
            yield field


def with_remote_id(payload: bytes, *, content_id: int, remote_id: str) -> bytes:
    """Return the payload with the remote id in the place of the number (``use_remote_id``)."""
    number = b'"contentId":%d,' % content_id
    return payload.replace(number, b'"contentId":' + orjson.dumps(remote_id) + b",", 1)


def _safe(name: str) -> str:
    return f"{CLASH_PREFIX}{name}" if name in SYSTEM_KEYS else name


def _read(item: SourceItem, name: str, attribute: str, content_id: int) -> Any:
    try:
        value = related_value(
            item.instance, attribute, source=f"{item.item_type.identifier}.{name}", relations=item.relations
        )
        orjson.dumps(value)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - one unreadable field must not take the item with it
        logger.warning(
            "Unable to fetch field content for contentId %s, field %s:%s: %s: %s",
            content_id,
            item.item_type.identifier,
            attribute,
            type(error).__name__,
            error,
        )
        return None
    return value
