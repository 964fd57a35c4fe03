"""From values to JSON that a platform can map (reference `cdp.md` 1.3, Serialization), and the built-in
processors of fields and of their values."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import orjson
from django.utils import timezone
from django.utils.functional import Promise

from cdp.export.hooks import BUILT_IN, Field, field_processor, field_value_processor, value_processors

PLACES = 6
TEXTS = ("string", "text", "richtext", "stream", "email")
LARGEST = 2**63


class RowError(Exception):
    """A row, or a value of it, that cannot go out. ``code``: one word for counts and logs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def plain(value: Any, *, nested: bool = True) -> Any:
    """The value as JSON has it. ``nested``: lists and mappings are allowed.

    Raises :class:`RowError`: ``non_scalar`` or ``not_json``.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | Promise | uuid.UUID):
        return str(value)
    if isinstance(value, int) and -LARGEST <= value < LARGEST:
        return int(value)
    if isinstance(value, float):
        return round(value, PLACES) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, datetime):
        aware = value if timezone.is_aware(value) else timezone.make_aware(value)
        return aware.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return compound(value, nested=nested)


def compound(value: Any, *, nested: bool) -> Any:
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        raise RowError("not_json", f"a value of the type {type(value).__name__} has no form in JSON")
    if not nested:
        raise RowError("non_scalar", f"a {type(value).__name__} is no single value")
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    return [plain(part) for part in value]


def number(value: Decimal) -> Any:
    """A decimal with up to six places, none of them lost in a float."""
    if not value.is_finite():
        return None
    if abs(value) >= 10**30:
        return float(value)
    text = f"{value:.{PLACES}f}".rstrip("0").rstrip(".")
    return orjson.Fragment(b"0" if text == "-0" else text.encode())


# --- Built in ---------------------------------------------------------------------------------


@field_processor(priority=BUILT_IN)
def described(field: Field) -> Mapping[str, Any]:
    """What every field has: an id of its own, its type and language, and its value or values."""
    found: dict[str, Any] = {
        "id": f"{field.content_id}-{field.identifier}",
        "type": field.type,
        "language_code": field.language,
    }
    processor = value_processors.of(field)
    for key, value in (processor(field) if processor else {}).items():
        found["value" if key == "value" else f"value_{key}"] = value
    return found


@field_value_processor(priority=BUILT_IN, field_types=("keywords",))
def as_tags(field: Field) -> Mapping[str, Any]:
    """All tags in one text, which conditions with "contains" can ask for."""
    return {"value": ", ".join(map(str, field.value or ()))}


@field_value_processor(priority=BUILT_IN, field_types=("datetime",))
def as_moment(field: Field) -> Mapping[str, Any]:
    """The read model has seconds since 1970."""
    if not field.value:
        return {"value": None}
    return {"value": datetime.fromtimestamp(int(field.value), UTC)}


@field_value_processor(priority=BUILT_IN, field_types=("date",))
def as_date(field: Field) -> Mapping[str, Any]:
    """The read model has them as the reference's protocol wants them: Monday 02 March 2026."""
    if not field.value:
        return {"value": None}
    return {"value": datetime.strptime(field.value, "%A %d %B %Y").replace(tzinfo=UTC).date()}


@field_value_processor(priority=BUILT_IN, supports=lambda field: isinstance(field.value, list | dict))
def as_json(field: Field) -> Mapping[str, Any]:
    return {"value": orjson.dumps(field.value).decode()}


@field_value_processor(priority=BUILT_IN)
def as_it_is(field: Field) -> Mapping[str, Any]:
    """A text, a number or a truth value; a text that is missing is empty."""
    return {"value": "" if field.value is None and field.type in TEXTS else field.value}
