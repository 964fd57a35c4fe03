"""Cases of reference `client-protocol.md` 9.7: the values of fields."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import models
from django.test.utils import isolate_apps
from wagtail.images.models import Image

from content.items.pictures import rendition_of
from content.items.values import NoNormaliser, normalise, value_of
from tests.content.conftest import Magazine

UTC = datetime.UTC


@isolate_apps("content")
def sample() -> Any:
    class Sample(models.Model):  # noqa: DJ008 - never shown
        checkbox = models.BooleanField(default=False)
        date = models.DateField(null=True)
        moment = models.DateTimeField(null=True)
        time = models.TimeField(null=True)
        number = models.FloatField(null=True)
        integer = models.IntegerField(null=True)

        class Meta:
            app_label = "content"

    return Sample


def read(field: str, **values: object) -> object:
    return value_of(sample()(**values), field)


def test_a_checkbox_is_a_boolean() -> None:
    """Case 9-87."""
    assert read("checkbox") is False
    assert read("checkbox", checkbox=True) is True


def test_dates_and_times_have_the_forms_of_the_protocol() -> None:
    """Case 9-89."""
    nine = datetime.datetime(2021, 1, 1, 9, tzinfo=UTC)
    assert read("date", date=datetime.date(2021, 1, 1)) == "Friday 01 January 2021"
    assert read("moment", moment=nine) == "1609491600"
    assert read("time", time=datetime.time(9)) == "09:00:00"
    assert [read(field) for field in ("date", "moment", "time")] == [None, None, None]


def test_numbers_stay_numbers() -> None:
    """Case 9-91."""
    assert read("number", number=1.1) == 1.1
    assert read("integer", integer=100) == 100
    assert [read("number"), read("integer")] == [None, None]


def test_a_related_page_is_its_first_picture(magazine: Magazine, picture: Image) -> None:
    """Case 9-93."""
    assert normalise(magazine.place(image=picture)) == rendition_of(picture).url
    assert normalise(None) is None


def test_keywords_are_a_list(magazine: Magazine) -> None:
    """Case 9-95."""
    place = magazine.place()
    assert value_of(place, "tags") == []
    place.tags.add("foo")
    assert value_of(place, "tags") == ["foo"]
    place.tags.add("bar", "baz")
    assert value_of(place, "tags") == ["bar", "baz", "foo"]


def test_a_value_that_nothing_supports_is_named() -> None:
    """Case 9-97."""
    with pytest.raises(NoNormaliser, match=r"^ValueNormalizer not found for field type value: object\.$"):
        normalise(object())
