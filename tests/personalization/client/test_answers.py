"""Answers of engines, hostile ones included, become values that are safe to render."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalization.client.answers import clean_text, engine_link, recommendations_of, safe_uri

HOSTS = frozenset({"event.example"})


def answer(**attributes: Any) -> dict[str, Any]:
    return {
        "recommendationItems": [
            {
                "itemId": 71,
                "itemType": 38,
                "relevance": 3,
                "origin": {"itemIds": [72], "itemType": 38, "source": "CLICK"},
                "links": {
                    "clickRecommended": "//event.example/api/1/clickrecommended/u/38/71?scenario=a",
                    "rendered": "//event.example/api/1/rendered/u/38/71?scenario=a",
                },
                "attributes": [{"key": key, "values": [value]} for key, value in attributes.items()],
            }
        ]
    }


def test_it_reads_an_answer_of_the_protocol() -> None:
    [one] = recommendations_of(
        answer(name="Valencia", uri="/places/valencia", image="/v.jpg", intro="x"), hosts=HOSTS
    )

    assert (one.item_id, one.item_type, one.relevance) == ("71", 38, 3)
    assert (one.title, one.uri, one.image, one.intro) == ("Valencia", "/places/valencia", "/v.jpg", "x")
    assert one.click_url.startswith("//event.example/api/1/clickrecommended/")
    assert one.origin is not None
    assert one.origin.item_ids == ("72",)


def test_it_prefers_title_to_name_and_reads_single_values() -> None:
    document = answer(name="n", title="t")
    document["recommendationItems"][0]["attributes"].append({"key": "uri", "value": "/x"})

    [one] = recommendations_of(document, hosts=HOSTS)

    assert (one.title, one.uri) == ("t", "/x")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<![CDATA[<section><p>Caf&eacute; &amp; bar</p></section>]]>", "Café & bar"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;x", "alert(1)x"),
        ("<img src=x onerror=alert(1)>", ""),
        ("  a \n b ", "a b"),
    ],
)
def test_it_leaves_plain_text(raw: str, text: str) -> None:
    assert clean_text(raw) == text


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example/x",
        "/\t/evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:///evil",
        "http://[::1",
        "places/relative",
        "",
    ],
)
def test_it_drops_addresses_that_lead_astray(uri: str) -> None:
    assert safe_uri(uri) == ""


@pytest.mark.parametrize("uri", ["/places/kochi/", "https://site.example/a?b=c#d", "http://site.example/"])
def test_it_keeps_ordinary_addresses(uri: str) -> None:
    assert safe_uri(uri) == uri


@pytest.mark.parametrize("link", ["//evil.example/x", "https://evil.example/", "javascript:x", "/x", 7, None])
def test_it_drops_feedback_links_to_other_hosts(link: Any) -> None:
    assert engine_link(link, hosts=HOSTS) == ""


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"recommendationItems": None},
        {"recommendationItems": {"itemId": 1}},
        {"recommendationItems": [None, 7, "x", [], {}]},
        {"recommendationItems": [{"itemId": True, "itemType": 1}, {"itemId": -4, "itemType": 1}]},
        {"recommendationItems": [{"itemId": 1, "itemType": "38"}]},
    ],
)
def test_it_leaves_out_what_is_no_item(document: dict[str, Any]) -> None:
    assert recommendations_of(document, hosts=HOSTS) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ENTRY = st.fixed_dictionaries(
    {"itemId": JSON, "itemType": JSON},
    optional={
        "links": JSON,
        "origin": JSON,
        "attributes": st.lists(st.fixed_dictionaries({"key": JSON, "values": JSON})) | JSON,
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ENTRY, max_size=4))
def test_it_never_fails_and_never_lets_markup_through(entries: list[Any]) -> None:
    for one in recommendations_of({"recommendationItems": entries}, hosts=HOSTS):
        assert one.uri == "" or one.uri.startswith(("/", "http"))
        assert not one.uri.startswith("//")
