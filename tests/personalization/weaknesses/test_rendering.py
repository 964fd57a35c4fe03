"""Faults of the reference's requests for recommendations that are not repeated (reference section 10.4)."""

from __future__ import annotations

from personalization import contracts
from personalization.client.hooks import Draft
from personalization.client.recommend import query_of


def draft(**given: object) -> Draft:
    values: dict[str, object] = {
        "request": None,
        "site": None,
        "scenario": "a",
        "language": "eng-GB",
        "limit": 3,
    }
    return Draft(**values | given)  # type: ignore[arg-type]


def test_w29_a_zero_is_a_value_and_swallows_no_ampersand() -> None:
    """Cases 9-105 and 9-107."""
    # Brings it back: recommend.query_of, `if (text := filter_text(value))` -> `if value and ...`
    filters = {"color": ["red", "blue"], "size": "L", "price": 0, "a&b": "c=d", "none": None, "empty": []}
    pairs = query_of(draft(context=[0], context_type=38, filters=filters))
    assert pairs == [
        ("numrecs", "3"),
        ("contextitems", "0"),
        ("contenttype", "38"),
        ("lang", "eng-GB"),
        ("color", "red,blue"),
        ("size", "L"),
        ("price", "0"),
        ("a&b", "c=d"),
    ]


def test_w30_booleans_are_sent_where_they_are_given() -> None:
    # Brings it back: recommend.filter_text, return "" for a bool
    switches = query_of(
        draft(
            cross_content_type=True,
            output_type_id=38,
            use_context_category_path=False,
            recommend_category=True,
        )
    )
    assert switches[2:] == [
        ("usecontextcategorypath", "false"),
        ("recommendCategory", "true"),
        ("crosscontenttype", "true"),
    ]
    assert query_of(draft()) == [("numrecs", "3"), ("lang", "eng-GB")]


def test_w52_ids_are_encoded_into_paths() -> None:
    # Brings it back: contracts.segment, quote(..., safe="") -> str(value)
    path = contracts.recommendation_path(501, "a/b?c d#é", "x/y")
    assert path == "/api/v2/501/a%2Fb%3Fc%20d%23%C3%A9/x%2Fy.json"
