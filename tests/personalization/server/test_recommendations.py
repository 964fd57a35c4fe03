"""The recommendation API, from tracked events to the answer."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from personalization.server import artefacts, catalogues, freshness, page_memory, plans, training
from personalization.server.items import mapping, store
from personalization.server.models import Scenario, StoredItem
from tests.personalization.server import made
from tests.personalization.server.conftest import Account, content, new_account
from tracking import replay
from tracking.replay import HistoricEvent

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

BEGIN = datetime.now(UTC) - timedelta(days=2)


@pytest.fixture(autouse=True)
def _fresh(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"


@pytest.fixture
def account(db: None) -> Account:
    return new_account("Shop")


def put(account: Account, *ids: int, kind: int = 38, language: str = "eng-GB", **fields: Any) -> None:
    raws = [content(one, contentTypeId=kind, **fields) for one in ids]
    rows = [mapping.columns_of(raw, item_type=kind, alphanumeric=False) for raw in raws]
    store.upsert(account.customer_id, rows, language=language, moment=store.moment_now())
    forget()


def forget() -> None:
    catalogues.catalogues.forget()
    plans.forget()
    freshness.forget()
    artefacts.shelf.forget()


def track(account: Account, histories: dict[str, list[int]], *, event: str = "click", kind: int = 38) -> None:
    rows = [
        HistoricEvent(
            event=event, user=user, item_type=kind, item_id=str(item), ts=BEGIN + timedelta(minutes=-place)
        )
        for user, items in histories.items()
        for place, item in enumerate(items)
    ]
    replay.store(account.customer_id, rows)


def learn(account: Account) -> None:
    training.build_all(account.customer_id)
    forget()


def ask(client: Client, account: Account, scenario: str, user: str = "nobody", **query: Any) -> Any:
    path = f"/api/v2/{account.customer_id}/{quote(user, safe='')}/{scenario}"
    return client.get(path if "." in scenario else path + ".json", query)


def ids(answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.content
    return [item["itemId"] for item in answer.json()["recommendationItems"]]


# 3 is the bestseller; 1 and 2 are seen together, 4 and 5 are seen together.
TASTES = {
    **{f"a{n}": [3, 1, 2] for n in range(4)},
    **{f"b{n}": [3, 4, 5] for n in range(3)},
    **{f"c{n}": [3] for n in range(5)},
}


@pytest.fixture
def shop(account: Account) -> Account:
    put(account, 1, 2, 3, 4, 5)
    track(account, TASTES)
    learn(account)
    return account


def test_it_answers_in_the_shape_of_the_documentation(client: Client, shop: Account) -> None:
    answer = ask(client, shop, "popular", "some user", numrecs=2, attribute="name,author,none")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert list(body) == ["contextItems", "recommendationItems"]
    assert body["contextItems"] == []
    first = body["recommendationItems"][0]
    assert list(first) == ["itemId", "itemType", "relevance", "links", "attributes"]
    assert (first["itemId"], first["itemType"]) == (3, 38)
    assert [one["relevance"] for one in body["recommendationItems"]] == [2, 1]
    assert first["attributes"] == [
        {"key": "name", "values": ["Place 3"]},
        {"key": "author", "values": ["Michael Wang"]},
        {"key": "none", "values": []},
    ]
    link = re.fullmatch(
        r"//localhost:\d+/api/(\w+)/clickrecommended/some%20user/38/3"
        r"\?scenario=popular&modelid=(\d+)&categorypath=&requestuuid=([0-9a-f-]{36})",
        first["links"]["clickRecommended"],
    )
    assert link, first["links"]
    assert link[1] == shop.customer_id
    assert "/rendered/some%20user/38/3?" in first["links"]["rendered"]
    assert link[3] in body["recommendationItems"][1]["links"]["rendered"]


def test_it_ranks_the_most_clicked_first(client: Client, shop: Account) -> None:
    assert ids(ask(client, shop, "popular")) == [3, 1, 2, 4, 5]


def test_it_recommends_what_is_seen_together(client: Client, shop: Account) -> None:
    answer = ask(client, shop, "detail", contextitems="1", numrecs=2)
    assert ids(answer)[0] == 2
    body = answer.json()
    assert body["contextItems"] == [{"itemId": 1, "itemType": 38, "sources": ["REQUEST"], "viewers": 0}]
    assert body["recommendationItems"][0]["origin"] == {"itemIds": [1], "itemType": 38, "source": "REQUEST"}


def test_it_follows_the_clicks_of_the_user_at_once(client: Client, shop: Account) -> None:
    before = ids(ask(client, shop, "front", "me", numrecs=2))
    assert before == [3, 1]
    track(shop, {"me": [4]})
    answer = ask(client, shop, "front", "me", numrecs=1)
    assert ids(answer) == [5]
    assert answer.json()["recommendationItems"][0]["origin"] == {
        "itemIds": [4],
        "itemType": 38,
        "source": "CLICK",
    }


def test_it_keeps_the_user_id_as_it_was_sent(client: Client, shop: Account) -> None:
    track(shop, {"a/b ü": [4]})
    assert ids(ask(client, shop, "front", "a/b ü", numrecs=1)) == [5]


def test_it_never_recommends_the_context_item(client: Client, shop: Account) -> None:
    assert 1 not in ids(ask(client, shop, "detail", contextitems="1"))


def test_it_falls_back_to_the_context_items_category(client: Client, account: Account) -> None:
    put(account, 1, 2, categoryPath="/1/2/")
    put(account, 3, 4, categoryPath="/1/3/")
    put(account, 6, categoryPath="/1/2/")
    track(account, TASTES)
    track(account, {"x": [6]})
    learn(account)
    assert ids(ask(client, account, "detail", contextitems="6")) == [1, 2]


def test_it_falls_back_to_the_folder_of_an_item_whose_path_is_its_own_place(
    client: Client, account: Account
) -> None:
    for item in (1, 2, 6):
        put(account, item, categoryPath=f"/1/2/{item}/")
    put(account, 3, categoryPath="/1/3/3/")
    track(account, TASTES)
    track(account, {"x": [6]})
    learn(account)
    assert ids(ask(client, account, "detail", contextitems="6")) == [1, 2]


def test_it_filters_by_category_while_it_scores(client: Client, account: Account) -> None:
    put(account, *range(1, 400), categoryPath="/1/2/")
    put(account, *range(400, 404), categoryPath=["/1/3/", "/7/"])
    track(account, {f"u{n}": list(range(1, 404)) for n in range(2)} | {"v": list(range(1, 300))})
    learn(account)
    assert sorted(ids(ask(client, account, "category", categorypath="/1/3/"))) == [400, 401, 402, 403]
    assert sorted(ids(ask(client, account, "category", categorypath="7"))) == [400, 401, 402, 403]
    assert ids(ask(client, account, "category", categorypath="/1/4")) == []
    assert len(ids(ask(client, account, "category", categorypath="/"))) == 10
    assert len(ids(ask(client, account, "category"))) == 10


def test_it_recommends_what_is_bought_together(client: Client, account: Account) -> None:
    put(account, 1, 2, 3, kind=40)
    track(account, {"a": [1, 2], "b": [1, 2], "c": [3]}, event="buy", kind=40)
    learn(account)
    assert ids(ask(client, account, "also_bought", contextitems="1")) == [2]


def test_it_shows_what_the_user_saw_last_before_any_build(client: Client, account: Account) -> None:
    put(account, 1, 2, 3)
    track(account, {"ana": [3, 1, 9, 2, 1], "bert": [2]})
    assert ids(ask(client, account, "recently_viewed", user="ana")) == [3, 1, 2], "newest first, each once"
    assert ids(ask(client, account, "recently_viewed", user="ana", contextitems=1)) == [3, 2]
    assert ids(ask(client, account, "recently_viewed", user="bert")) == [2]
    assert ask(client, account, "recently_viewed", user="nobody").status_code == 409


def test_it_shows_what_is_bought_most(client: Client, account: Account) -> None:
    put(account, 1, 2, 3)
    track(account, {"a": [2, 1], "b": [2], "c": [2, 1]}, event="buy")
    track(account, {f"u{n}": [3] for n in range(9)})
    learn(account)
    assert ids(ask(client, account, "bestsellers")) == [2, 1]


def test_it_shows_a_new_item_as_recently_added_before_any_build(client: Client, account: Account) -> None:
    put(account, 1)
    put(account, 2)
    assert ids(ask(client, account, "recently_added")) == [2, 1]


def test_it_replaces_items_that_are_gone(client: Client, shop: Account) -> None:
    assert ids(ask(client, shop, "popular", numrecs=2)) == [3, 1]
    StoredItem.objects.filter(item_id="3").delete()  # behind the back of the catalogue in memory
    assert ids(ask(client, shop, "popular", numrecs=2)) == [1, 2]


def test_it_recommends_nothing_once_the_last_item_is_gone(client: Client, shop: Account) -> None:
    for row in list(StoredItem.objects.filter(customer_id=shop.customer_id)):
        moment = store.moment_now()
        store.remove(
            shop.customer_id, item_type=row.item_type, item_id=row.item_id, language="", moment=moment
        )
    forget()
    assert ids(ask(client, shop, "popular")) == []
    assert ids(ask(client, shop, "detail", contextitems=1)) == []


def test_it_leaves_out_items_before_and_after_their_time(client: Client, account: Account) -> None:
    put(account, 1)
    put(account, 2, publishedDate="2999-01-01T00:00:00+00:00")
    put(account, 3, validTo="2020-01-01T00:00:00+00:00")
    track(account, TASTES)
    learn(account)
    assert ids(ask(client, account, "popular")) == [1]
    assert ids(ask(client, account, "recently_added")) == [1]


def test_it_only_answers_the_output_type_asked_for(client: Client, account: Account) -> None:
    put(account, 1, 2)
    put(account, 8, kind=39)
    track(account, {"a": [1, 2]})
    track(account, {"a": [8]}, kind=39)
    learn(account)
    assert ids(ask(client, account, "popular", outputtypeid=39)) == [8]
    assert sorted(ids(ask(client, account, "popular", crosscontenttype="true"))) == [1, 2, 8]


def test_it_gives_attributes_in_the_language_asked_for(client: Client, account: Account) -> None:
    put(account, 1, name="Castle")
    put(account, 1, name="Château", language="fre-FR")
    answer = ask(client, account, "recently_added", attribute="name", lang="fre-FR")
    assert answer.json()["recommendationItems"][0]["attributes"][0]["values"] == ["Château"]
    assert len(ids(answer)) == 1


def test_it_keeps_customers_apart(client: Client, shop: Account) -> None:
    other = new_account("Other")
    assert ids(ask(client, other, "popular")) == []


def test_it_answers_string_ids_where_the_customer_has_them(client: Client) -> None:
    account = new_account("Remote", alphanumeric=True)
    raw = content("ab-1")
    rows = [mapping.columns_of(raw, item_type=38, alphanumeric=True)]
    store.upsert(account.customer_id, rows, language="eng-GB", moment=store.moment_now())
    forget()
    assert ids(ask(client, account, "recently_added")) == ["ab-1"]


def test_it_answers_jsonp_with_the_callback_asked_for(client: Client, shop: Account) -> None:
    answer = ask(client, shop, "popular.jsonp", jsonpCallback="page.show")
    assert answer["Content-Type"].startswith("text/javascript")
    text = answer.content.decode()
    assert text.startswith("/**/page.show({")
    json.loads(text.removeprefix("/**/page.show(").removesuffix(");"))


@pytest.mark.parametrize("name", ["alert(1)", "a b", "", "1a", "a.", "<x>", "a" * 201])
def test_it_refuses_callbacks_that_are_no_names(client: Client, account: Account, name: str) -> None:
    assert ask(client, account, "popular.jsonp", jsonpCallback=name).status_code == 400


def test_it_answers_json_without_an_extension(client: Client, shop: Account) -> None:
    answer = client.get(f"/api/v2/{shop.customer_id}/u/popular?callback=x")
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"numrecs": "0"}, "numrecs"),
        ({"numrecs": "51"}, "numrecs"),
        ({"numrecs": "ten"}, "numrecs"),
        ({"numrecs": "٣"}, "numrecs"),
        ({"contextitems": "x y"}, "contextitems"),
        ({"outputtypeid": "place"}, "outputtypeid"),
        ({"crosscontenttype": "maybe"}, "crosscontenttype"),
        ({"categorypath": "a\\b"}, "backslash"),
        ({"contextitems": ",".join(map(str, range(101)))}, "contextitems"),
    ],
)
def test_it_names_the_parameter_that_is_wrong(
    client: Client, account: Account, query: dict[str, str], named: str
) -> None:
    answer = ask(client, account, "popular", **query)
    assert answer.status_code == 400
    assert named in answer.content.decode()


def test_it_suggests_the_scenario_that_was_meant(client: Client, account: Account) -> None:
    answer = ask(client, account, "populr")
    assert answer.status_code == 404
    assert "'popular'" in answer.content.decode()


def test_it_does_not_know_a_customer_that_nobody_made(client: Client, db: None) -> None:
    assert client.get("/api/v2/99/u/popular.json").status_code == 404


def test_it_answers_409_when_no_model_has_what_it_needs(client: Client, account: Account) -> None:
    answer = ask(client, account, "also_bought")
    assert answer.status_code == 409
    assert "contextitems" in answer.content.decode()


def test_it_answers_an_empty_list_before_anything_was_learnt(client: Client, account: Account) -> None:
    put(account, 1)
    assert ids(ask(client, account, "popular")) == []


def test_it_says_how_long_an_answer_may_be_kept(client: Client, shop: Account) -> None:
    answer = ask(client, shop, "popular")
    assert answer["Cache-Control"] == "private"
    assert "Expires" in answer
    path = f"/api/v2/{shop.customer_id}/nobody/popular.json"
    again = client.get(path, headers={"if-modified-since": answer["Last-Modified"]})
    assert again.status_code == 304
    assert again.content == b""


def test_it_lets_nobody_keep_an_answer_that_follows_the_user(client: Client, shop: Account) -> None:
    track(shop, {"me": [4]})
    answer = ask(client, shop, "front", "me")
    path = f"/api/v2/{shop.customer_id}/me/front.json"
    assert client.get(path, headers={"if-modified-since": answer["Last-Modified"]}).status_code == 200


def test_it_leaves_out_what_the_user_bought_where_the_scenario_says_so(client: Client, shop: Account) -> None:
    row = Scenario.objects.get(customer_id=shop.customer_id, identifier="popular")
    row.filters = row.filters | {"exclude_purchased": True}
    row.save()
    track(shop, {"me": [3]}, event="buy")
    forget()
    assert ids(ask(client, shop, "popular", "me")) == [1, 2, 4, 5]


def test_it_reads_the_database_only_a_few_times(
    client: Client, shop: Account, django_assert_max_num_queries: Any
) -> None:
    ask(client, shop, "popular", attribute="name")
    with django_assert_max_num_queries(4):
        ask(client, shop, "popular", attribute="name")


def test_it_reads_the_visitor_once_for_all_lists_of_a_page(shop: Account, settings: Any) -> None:
    """A page asks its own engine in its own thread, between the signals of its own request."""
    page_memory.begin()
    try:
        made.listed(shop.customer_id, identifier="detail", user="me", context_ids=("1",))
        with CaptureQueriesContext(connections[settings.EVENTS_DB]) as asked:
            assert made.listed(shop.customer_id, identifier="detail", user="me", context_ids=("2",))
        assert not [one for one in asked.captured_queries if "tracking_event" in one["sql"]]
        track(shop, {"me": [4]}, event="blacklist")
        assert "4" in made.listed(shop.customer_id, identifier="popular", user="me")
    finally:
        page_memory.end()
    assert "4" not in made.listed(shop.customer_id, identifier="popular", user="me")
