"""Each field type has the value of reference `client-protocol.md` 5.1."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

import pytest
from django.db import models
from django.db.models import Model
from django.test.utils import isolate_apps
from wagtail.documents.models import Document
from wagtail.fields import RichTextField
from wagtail.images.models import Image

from content.items import values
from content.items.values import NoNormaliser, normalise, normaliser, value_of
from tests.content.conftest import Magazine

MOMENT = datetime.datetime(2021, 1, 1, 10, 20, 30, tzinfo=datetime.UTC)


@isolate_apps("content")
def sample() -> type[Model]:
    class Sample(models.Model):  # noqa: DJ008 - never shown
        checkbox = models.BooleanField(null=True)
        date = models.DateField(null=True)
        moment = models.DateTimeField(null=True)
        time = models.TimeField(null=True)
        email = models.EmailField()
        decimal = models.DecimalField(max_digits=5, decimal_places=2, null=True)
        number = models.FloatField(null=True)
        integer = models.IntegerField(null=True)
        line = models.CharField(max_length=9)
        block = models.TextField()
        rich = RichTextField()
        link = models.URLField()
        file = models.FileField()
        document = models.JSONField(null=True)
        parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)

        class Meta:
            app_label = "content"

    return Sample


@pytest.mark.parametrize(
    ("field", "value", "expected", "empty"),
    [
        ("checkbox", True, True, False),
        ("date", datetime.date(2021, 1, 1), "Friday 01 January 2021", None),
        ("moment", MOMENT, "1609496430", None),
        ("time", datetime.time(1, 2, 3), "01:02:03", None),
        ("email", "a@b.test", "a@b.test", ""),
        ("decimal", Decimal("1.50"), 1.5, None),
        ("number", 1.25, 1.25, None),
        ("integer", 3, 3, None),
        ("line", "One", "One", ""),
        ("block", "Two", "Two", ""),
        ("rich", "<p>A</p>", "<p>A</p>\n", "\n"),
        ("link", "https://a.test", "https://a.test", None),
        ("file", "a.pdf", "/media/a.pdf", None),
        ("document", {"a": [1]}, {"a": [1]}, None),
    ],
)
def test_it_gives_each_field_type_its_value(
    field: str, value: object, expected: object, empty: object
) -> None:
    model = sample()
    assert value_of(model(**{field: value}), field) == expected
    assert value_of(model(), field) == empty


def test_it_follows_dots_to_related_fields() -> None:
    model = sample()
    assert value_of(model(parent=model(line="up")), "parent.line") == "up"
    assert value_of(model(), "parent.line") is None


def test_it_gives_values_that_belong_to_no_field() -> None:
    key = uuid.uuid4()
    assert normalise([1, "a", None, key]) == [1, "a", None, str(key)]


def test_it_refuses_what_nothing_supports() -> None:
    with pytest.raises(NoNormaliser, match="ValueNormalizer not found for field type value: complex."):
        normalise(1j)


def test_it_takes_normalisers_for_other_classes() -> None:
    class Point:
        x = 1

    normaliser(Point)(lambda point: {"x": point.x})
    try:
        assert normalise(Point()) == {"x": 1}
    finally:
        del values._NORMALISERS[Point]


def test_it_gives_the_picture_of_a_related_page(magazine: Magazine, picture: Image) -> None:
    place = magazine.place(image=picture)
    assert normalise(place) == picture.renditions.get().url
    assert normalise(magazine.home) is None


def test_it_gives_the_address_of_a_document(db: None) -> None:
    document = Document(pk=3, title="Map", file="documents/map.pdf")
    assert normalise(document) == "/documents/3/map.pdf"
