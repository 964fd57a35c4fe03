"""From the value of a model field to JSON (reference `client-protocol.md` 5.1).

A normaliser is registered for a field class or a value class; the most derived class wins, and a field
class before a value class.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.fields.reverse_related import ForeignObjectRel
from taggit.managers import TaggableManager
from wagtail.blocks import StreamValue
from wagtail.documents.models import AbstractDocument
from wagtail.fields import RichTextField, StreamField
from wagtail.images.models import AbstractImage
from wagtail.models import Page
from wagtail.rich_text import expand_db_html

from content.items.pictures import rendition_of
from content.items.streams import html_of, text_of

JSON = Any
Normaliser = Callable[[Any], JSON]
N = TypeVar("N", bound=Normaliser)

_NORMALISERS: dict[type, Normaliser] = {}
TEXT = "text"
_OWN_COLUMNS = {"id", "sort_order", "translation_key", "locale"}


class NoNormaliser(TypeError):
    """No normaliser supports a value."""


def normaliser(*kinds: type) -> Callable[[N], N]:
    """Register a function for field or value classes: ``@normaliser(CountryField)``."""

    def add(function: N) -> N:
        _NORMALISERS.update(dict.fromkeys(kinds, function))
        return function

    return add


def value_of(instance: Any, attribute: str) -> JSON:
    """Return the JSON value of ``instance.attribute``; dots follow relations, "brand.name".

    ``body.text`` is a rich text or a stream as plain text, one line for each block.

    Raises NoNormaliser for a value that nothing supports, and whatever reading the value raises.
    """
    *parents, name = attribute.split(".")
    if name == TEXT and parents and is_markup(_field_of(instance, parents[-1])):
        return text_of(value_of(instance, ".".join(parents)) or "")
    for parent in parents:
        instance = getattr(instance, parent)
        if instance is None:
            return None
    value = getattr(instance, name)
    return _normaliser_for(_field_of(instance, name), value)(value)


def normalise(value: Any) -> JSON:
    """Return the JSON of a value that belongs to no model field."""
    return _normaliser_for(None, value)(value)


def is_markup(field: Any) -> bool:
    """Whether the values of a model field are HTML."""
    return isinstance(field, RichTextField | StreamField)


def _field_of(instance: Any, name: str) -> Any:
    try:
        return instance._meta.get_field(name)
    except (AttributeError, FieldDoesNotExist):
        return None


def _normaliser_for(field: Any, value: Any) -> Normaliser:
    kinds = type(value).__mro__ if field is None else (*type(field).__mro__, *type(value).__mro__)
    for kind in kinds:
        if kind is not object and kind in _NORMALISERS:
            return _NORMALISERS[kind]
    raise NoNormaliser(f"ValueNormalizer not found for field type value: {type(value).__name__}.")


@normaliser(type(None))
def _nothing(_value: None) -> None:
    return None


@normaliser(models.BooleanField, bool)
def _checkbox(value: bool | None) -> bool:  # noqa: FBT001 - the value itself
    return bool(value)


@normaliser(models.IntegerField, int)
def _integer(value: int | None) -> int | None:
    return None if value is None else int(value)


@normaliser(models.FloatField, models.DecimalField, float, Decimal)
def _number(value: float | Decimal | None) -> float | None:
    return None if value is None else float(value)


@normaliser(models.CharField, models.TextField, models.UUIDField, str, uuid.UUID)
def _text(value: object) -> str:
    return "" if value is None else str(value)


@normaliser(models.URLField)
def _url(value: str | None) -> str | None:
    return value or None


@normaliser(models.DateField, datetime.date)
def _date(value: datetime.date | None) -> str | None:
    return None if value is None else f"{value:%A %d %B %Y}"


@normaliser(models.DateTimeField, datetime.datetime)
def _moment(value: datetime.datetime | None) -> str | None:
    return None if value is None else str(int(value.timestamp()))


@normaliser(models.TimeField, datetime.time)
def _time(value: datetime.time | None) -> str | None:
    return None if value is None else f"{value:%H:%M:%S}"


@normaliser(models.FileField)
def _file(value: Any) -> str | None:
    return value.url if value else None


@normaliser(models.JSONField, dict)
def _document(value: JSON) -> JSON:
    return value


@normaliser(RichTextField)
def _rich_text(value: str | None) -> str:
    return f"{expand_db_html(value or '')}\n"


@normaliser(StreamField, StreamValue)
def _stream(value: Any) -> str:
    return f"{html_of(value)}\n"


@normaliser(TaggableManager)
def _keywords(value: Any) -> list[str]:
    return sorted(str(tag) for tag in value.all())


@normaliser(AbstractImage)
def _picture(value: Any) -> str:
    return str(rendition_of(value).url)


@normaliser(AbstractDocument)
def _binary(value: Any) -> str:
    return str(value.url)


@normaliser(Page)
def _relation(value: Page) -> JSON:
    """Of a related page only its first picture is exported."""
    page = value.specific
    for field in page._meta.get_fields():
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, AbstractImage):
            picture = getattr(page, field.name)
            return None if picture is None else _picture(picture)
    return None


@normaliser(models.Model)
def _snippet(value: models.Model) -> str:
    """Of any other related object what it is called; accounts are nobody's business."""
    if isinstance(value, AbstractBaseUser):
        raise NoNormaliser("An account is not exported; name a field of it that may be public.")
    return str(value)


@normaliser(models.ManyToManyField)
def _relation_list(value: Any) -> list[JSON]:
    return [known for target in value.all() if (known := normalise(target)) is not None]


@normaliser(ForeignObjectRel)
def _children(value: Any) -> list[dict[str, JSON]]:
    """Rows of an inline panel, variants of a product for example, as objects."""
    return [_columns(child) for child in value.all()]


def _columns(child: models.Model) -> dict[str, JSON]:
    names = (
        field.name
        for field in child._meta.concrete_fields
        if field.name not in _OWN_COLUMNS and not isinstance(field, models.ForeignKey)
    )
    return {name: value_of(child, name) for name in names}


@normaliser(list, tuple, set, models.QuerySet)
def _list(value: Iterable[Any]) -> list[JSON]:
    return [normalise(element) for element in value]
