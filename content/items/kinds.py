"""What kind of field stands behind an exported name, in a word: ``richtext``, ``decimal``, ``keywords``."""

from __future__ import annotations

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.fields.reverse_related import ForeignObjectRel
from taggit.managers import TaggableManager
from wagtail.documents.models import AbstractDocument
from wagtail.fields import RichTextField, StreamField
from wagtail.images.models import AbstractImage

from content.items.values import TEXT

UNKNOWN = "other"
# The most derived class of a field decides.
KINDS: dict[type, str] = {
    RichTextField: "richtext",
    StreamField: "stream",
    TaggableManager: "keywords",
    ForeignObjectRel: "rows",
    models.ManyToManyField: "relationlist",
    models.ForeignKey: "relation",
    models.FileField: "file",
    models.JSONField: "json",
    models.URLField: "url",
    models.EmailField: "email",
    models.UUIDField: "string",
    models.CharField: "string",
    models.TextField: "text",
    models.BooleanField: "boolean",
    models.IntegerField: "integer",
    models.FloatField: "float",
    models.DecimalField: "decimal",
    models.DateTimeField: "datetime",
    models.DateField: "date",
    models.TimeField: "time",
}


def kind_of(model: type[models.Model], attribute: str) -> str:
    """The kind of ``attribute``; dots follow relations. ``other`` for what is no field: a property."""
    *parents, name = attribute.split(".")
    if name == TEXT and parents:
        return "text"
    try:
        for parent in parents:
            model = model._meta.get_field(parent).related_model  # type: ignore[assignment]
        field = model._meta.get_field(name)
    except (FieldDoesNotExist, AttributeError):
        return UNKNOWN
    target = field.related_model
    if isinstance(field, models.ForeignKey) and isinstance(target, type):
        if issubclass(target, AbstractImage):
            return "image"
        if issubclass(target, AbstractDocument):
            return "file"
    return next((KINDS[one] for one in type(field).__mro__ if one in KINDS), UNKNOWN)
