"""A transformation ..."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.dataflows.patterns import BadPattern, safe_pattern
from cdp.dataflows.transforms import FUNCTIONS, BadTransformation, call, check
from cdp.dataflows.values import PLAIN, BadValue


@pytest.mark.parametrize(
    ("name", "values", "params", "expected"),
    [
        ("trim", ["  a b "], {}, "a b"),
        ("lower", ["ÄB"], {}, "äb"),
        ("upper", ["äb"], {}, "ÄB"),
        ("replace", ["a-b-c"], {"find": "-"}, "abc"),
        ("replace", ["a-b"], {"find": "-", "by": "+"}, "a+b"),
        ("regex_extract", ["order 42 of 7"], {"pattern": r"(\d+) of (\d+)", "group": 2}, "7"),
        ("regex_extract", ["none"], {"pattern": r"\d+"}, None),
        ("substring", ["lodestar"], {"start": 4}, "star"),
        ("substring", ["lodestar"], {"start": 0, "length": 4}, "lode"),
        ("default", [""], {"value": "NO"}, "NO"),
        ("default", [None], {"value": "NO"}, "NO"),
        ("default", [0], {"value": "NO"}, 0),
        ("value_map", ["f"], {"map": {"f": "female"}}, "female"),
        ("value_map", ["x"], {"map": {"f": "female"}}, "x"),
        ("value_map", ["x"], {"map": {"f": "female"}, "otherwise": "?"}, "?"),
        ("prefix", ["1"], {"text": "u-"}, "u-1"),
        ("suffix", [1], {"text": " kg"}, "1 kg"),
        ("sha256", ["a"], {}, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("to_integer", ["14"], {}, 14),
        ("to_decimal", ["1.50"], {}, 1.5),
        ("to_boolean", ["TRUE"], {}, True),
        ("to_string", [1.5], {}, "1.5"),
        ("to_date", ["31/12/2024"], {"format": "%d/%m/%Y"}, "2024-12-31"),
        ("to_datetime", ["2025-01-01 12:00"], {"zone": "Asia/Tokyo"}, "2025-01-01T03:00:00Z"),
        ("concat", ["a", None, 1], {"separator": "-"}, "a-1"),
        ("coalesce", [None, "", "b", "c"], {}, "b"),
        ("split", ["a, b,c"], {"separator": ",", "index": 1}, "b"),
        ("split", ["a,b"], {"separator": ",", "index": -1}, "b"),
        ("split", ["a"], {"separator": ",", "index": 3}, None),
        ("to_array", ["a; b;"], {"separator": ";"}, ["a", "b"]),
        ("json_path", [{"a": {"b": [1, 2]}}], {"path": "a.b.1"}, "2"),
        ("json_path", [{"a": 1}], {"path": "x"}, None),
    ],
)
def test_it_makes_a_value_of_others(
    name: str, values: list[Any], params: dict[str, Any], expected: Any
) -> None:
    check(name, ["c"] * len(values), params)
    assert call(name, values, params, PLAIN) == expected


def test_every_one_is_tried_above_and_nothing_comes_of_nothing() -> None:
    marks = test_it_makes_a_value_of_others.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in marks[0].args[1]} == set(FUNCTIONS)
    for name in set(FUNCTIONS) - {"default", "coalesce"}:
        assert call(name, [None], {}, PLAIN) is None


@pytest.mark.parametrize(
    ("name", "inputs", "params", "words"),
    [
        ("rot13", ["a"], {}, "no transformation 'rot13'"),
        ("trim", ["a", "b"], {}, "takes one column"),
        ("trim", ["a"], {"x": 1}, "no parameter 'x'"),
        ("split", ["a"], {"separator": ","}, "needs index"),
        ("split", ["a"], {"separator": ",", "index": "1"}, "index of split must be a int"),
        ("split", ["a"], {"separator": ",", "index": True}, "index of split must be a int"),
        ("regex_extract", ["a"], {"pattern": "(a+)+"}, "repetition within a repetition"),
        ("regex_extract", ["a"], {"pattern": "("}, "is no regular expression"),
        ("to_datetime", ["a"], {"zone": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_it_is_refused_with_a_sentence(
    name: str, inputs: list[str], params: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadTransformation, match=words):
        check(name, inputs, params)


@pytest.mark.parametrize(
    ("name", "value", "params"),
    [
        ("to_integer", "1.5", {}),
        ("to_boolean", "yes", {}),
        ("to_date", "yesterday", {"format": "%d"}),
        ("regex_extract", "a", {"pattern": "a", "group": 1}),
        ("split", "a", {"separator": "", "index": 0}),
        ("trim", {"a": 1}, {}),
    ],
)
def test_it_says_when_a_value_does_not_allow_it(name: str, value: Any, params: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        call(name, [value], params, PLAIN)


@pytest.mark.parametrize(
    "pattern",
    [r"[ab]*c{2,3}", r"(?:a*)*", r"(?:a|aa)+$", ".*.*.*.*.*x", r"(a)\1", "a" * 201, r"((a{2,3}){2})+", "["],
)
def test_patterns_that_may_run_for_ever_are_not_run(pattern: str) -> None:
    if pattern == r"[ab]*c{2,3}":
        assert safe_pattern(pattern)
        return
    with pytest.raises(BadPattern):
        safe_pattern(pattern)
