"""Documents and addresses that both halves share."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from personalization import contracts

FULL = {
    "transaction": "20210102030405417",
    "events": [
        {
            "action": "FULL",
            "format": "EZ",
            "contentTypeId": 7,
            "contentTypeName": "Recipe",
            "lang": "eng-GB",
            "uri": ["https://site.example/exportDownload/2021/01/02/03/04/recipe_eng-GB_1"],
            "credentials": {"login": "yc", "password": "1f3b03cd5a"},
        }
    ],
}


def test_it_reads_a_full_notification() -> None:
    notification = contracts.Notification.model_validate(FULL)
    event = notification.events[0]
    assert (notification.transaction, event.action, event.contentTypeId) == (
        "20210102030405417",
        contracts.Action.FULL,
        7,
    )
    assert event.uris == ["https://site.example/exportDownload/2021/01/02/03/04/recipe_eng-GB_1"]
    assert event.credentials
    assert event.credentials.login == "yc"


def test_it_reads_an_update_with_a_null_transaction_and_a_token() -> None:
    event = {
        "action": "UPDATE",
        "format": "EZ",
        "uri": "https://site.example/content/id/72?lang=eng-GB",
        "itemId": 72,
        "contentTypeId": 38,
        "lang": "eng-GB",
        "credentials": {"login": None, "password": None, "token": "abc"},
    }
    read = contracts.Notification.model_validate({"transaction": None, "events": [event]})
    assert read.transaction is None
    assert read.events[0].itemId == "72"
    assert read.events[0].credentials
    assert read.events[0].credentials.token == "abc"


def test_it_takes_an_empty_array_for_no_credentials() -> None:
    event = FULL["events"][0] | {"credentials": []}
    read = contracts.Notification.model_validate({"transaction": None, "events": [event]})
    assert read.events[0].credentials is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"action": "MOVE"}, "events.0.action"),
        ({"contentTypeId": 0}, "events.0.contentTypeId"),
        ({"contentTypeId": 2**31}, "events.0.contentTypeId"),
        ({"lang": "english"}, "eng-GB"),
        ({"uri": {"a": 1}}, "events.0.uri"),
    ],
)
def test_it_names_the_faulty_field(change: dict[str, object], expected: str) -> None:
    event = FULL["events"][0] | change
    with pytest.raises(ValidationError) as caught:
        contracts.Notification.model_validate({"transaction": None, "events": [event]})
    assert expected in " ".join(contracts.validation_sentences(caught.value))


@pytest.mark.parametrize(
    "document",
    [
        {"contentList": {"content": [{"contentId": 1}]}},
        {"ContentList": {"Content": [{"contentId": 1}]}},
        {"contentList": {"content": {"contentId": 1}}},
        {"content": {"contentId": 1}},
    ],
)
def test_it_finds_the_items_in_every_envelope(document: object) -> None:
    assert contracts.items_of(document) == [{"contentId": 1}]


@pytest.mark.parametrize("document", [[], {}, None, "x", {"contentList": 5}])
def test_it_refuses_a_document_without_items(document: object) -> None:
    with pytest.raises(ValueError, match="contentList"):
        contracts.items_of(document)


def test_it_makes_transactions_of_17_digits() -> None:
    made = contracts.new_transaction(datetime(2021, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert re.fullmatch(r"20210102030405[1-9][0-9]{2}", made)


def test_it_encodes_every_path_segment() -> None:
    path = contracts.recommendation_path(10101, "a b/c%ü", "front")
    assert path == "/api/v2/10101/a%20b%2Fc%25%C3%BC/front.json"
    assert contracts.item_path("10101", 38, "x/y") == "/api/10101/item/38/x%2Fy"


@pytest.mark.parametrize(
    ("ours", "theirs"), [("en", "eng-GB"), ("fr", "fre-FR"), ("en-us", "eng-US"), ("pt-br", "por-BR")]
)
def test_it_converts_languages_both_ways(ours: str, theirs: str) -> None:
    assert contracts.to_protocol_language(ours) == theirs
    assert contracts.from_protocol_language(theirs) == ours


@pytest.mark.parametrize("code", ["", "xx", "english", "en-gbr"])
def test_it_names_an_unknown_language(code: str) -> None:
    with pytest.raises(contracts.UnknownLanguage, match="unknown"):
        contracts.to_protocol_language(code)
