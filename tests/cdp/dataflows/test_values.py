"""A value, and a column of values ..."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.dataflows.values import BadValue, Reading, infer, is_empty, read_as

COMMA = Reading(decimal=",")
OSLO = Reading(zone=ZoneInfo("Europe/Oslo"), date_formats=("%d.%m.%Y", "%d.%m.%Y %H:%M"))


@pytest.mark.case("D13", "D15")
@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, 2], "integer"),
        (["1", "2.5"], "decimal"),
        (["1", "0"], "integer"),
        (["yes", "no"], "string"),
        (["true", "False"], "boolean"),
        ([True, "false"], "boolean"),
        ([1, 2.5], "decimal"),
        (["2025-01-01", "2025-01-01T10:00:00Z"], "datetime"),
        (["2025-01-01", "2025-02-28"], "date"),
        (["2025-02-30"], "string"),
        (["2025-01-01T10:00:00"], "datetime"),
        (["2025-01-01T25:00:00"], "string"),
        (["007"], "string"),
        (["+7"], "string"),
        (["1234567890123456789"], "string"),
        (["-0.5", "3"], "decimal"),
        (["1e5"], "string"),
        (["٣"], "string"),
        ([[1], [2]], "array"),
        ([{"a": 1}], "object"),
        ([[1], "a"], "string"),
        ([0, False], "string"),
        (["1", None, "", "  ", [], {}], "integer"),
    ],
)
def test_it_has_the_type_that_all_its_values_have(values: list[Any], type_: str) -> None:
    assert infer(values)[0] == type_


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ([], "no data"),
        (["", None], "no data"),
        (["a@example.org", "b@example.org"], "email"),
        (["a@example.org", "b"], ""),
        (["a@localhost"], ""),
    ],
)
def test_it_says_what_more_can_be_seen(values: list[Any], hint: str) -> None:
    assert infer(values) == ("string", hint)


def test_it_reads_numbers_and_days_as_the_options_say() -> None:
    assert infer(["1,5", "2"], COMMA)[0] == "decimal"
    assert read_as("1,5", "decimal", COMMA) == 1.5
    assert infer(["31.12.2024"], OSLO)[0] == "date"
    assert read_as("31.12.2024", "date", OSLO) == "2024-12-31"
    assert read_as("31.12.2024 13:05", "datetime", OSLO) == "2024-12-31T12:05:00Z"
    assert read_as("2025-06-01T10:00:00", "datetime", OSLO) == "2025-06-01T08:00:00Z"
    assert read_as("2025-06-01T10:00:00.5+02:00", "datetime", OSLO) == "2025-06-01T08:00:00.500000Z"


@pytest.mark.parametrize("value", [None, "", " \t", [], {}])
def test_it_is_empty(value: Any) -> None:
    assert is_empty(value)


@pytest.mark.case("D11")
@pytest.mark.parametrize("value", [0, 0.0, False, "0", "false", [0]])
def test_zero_and_false_are_not_empty(value: Any) -> None:
    assert not is_empty(value)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("1.5", "integer"),
        (1.5, "integer"),
        (True, "integer"),
        (2**63, "integer"),
        ("abc", "decimal"),
        (float("nan"), "decimal"),
        (float("inf"), "decimal"),
        (True, "decimal"),
        ("yes", "boolean"),
        (1, "boolean"),
        ("2025-13-01", "date"),
        (20250101, "date"),
        ("0001-01-01T00:00:00+23:00", "datetime"),
        ({"a": 1}, "string"),
        ([1], "string"),
        ("a;b", "array"),
        ([[1]], "array"),
        ("{}", "object"),
    ],
)
def test_it_is_refused_as_a_type_that_it_is_not(value: Any, type_: str) -> None:
    with pytest.raises(BadValue):
        read_as(value, type_)


def test_it_keeps_an_empty_text_and_reads_other_empty_values_as_none() -> None:
    assert read_as("", "string") == ""
    assert read_as("", "integer") is None
    assert read_as(None, "string") is None
    assert read_as([], "string") is None
    assert read_as({}, "string") is None
    assert read_as([], "array") == []
    assert read_as("", "array") is None


@given(st.lists(st.one_of(st.integers(-(10**17), 10**17), st.decimals(-1000, 1000, places=3)), min_size=1))
def test_every_value_can_be_read_as_the_type_of_its_column(numbers: list[Any]) -> None:
    values = [str(one) for one in numbers]
    type_, _ = infer(values)
    for value in values:
        read_as(value, type_)


STORABLE = st.characters(exclude_characters="\0", codec="utf-8")  # PostgreSQL takes no NUL


@given(
    st.lists(st.one_of(st.text(STORABLE, max_size=12), st.integers(), st.booleans(), st.none()), max_size=6)
)
def test_any_column_can_be_read_as_what_it_was_taken_for(values: list[Any]) -> None:
    type_, _ = infer(values)
    for value in values:
        read_as(value, type_)
