"""What other apps may ask of the read model."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from django.db import connection
from wagtail.models import Site

from content.items import by_number, chance, queries
from content.items.record import Item
from tests.content.conftest import Magazine

NUMBERS = {"article": 39, "place": 38, "product": 40}


def row(number: int, *, site: int = 1, kind: str = "place", language: str = "eng-GB", **more: object) -> Item:
    fields: dict[str, object] = {
        "site_id": site,
        "item_type": kind,
        "item_type_id": NUMBERS[kind],
        "content_id": number,
        "remote_id": f"key-{number}",
        "language": language,
        "uri": f"/{number}/",
        "category_paths": [f"/1/2/{number}/"],
        "published_at": datetime(2026, 1, 1, tzinfo=UTC),
        "payload": orjson.dumps({"contentId": number, "site": site, "language": language}),
    }
    return Item(**(fields | more))


@pytest.fixture
def rows(db: None) -> None:
    Item.objects.bulk_create(
        [
            row(1),
            row(2, category_paths=["/1/2/2/", "/1/20/2/"]),
            row(3, is_visible=False),
            row(1, language="fre-FR"),
            row(4, kind="article"),
            row(1, site=2),
        ]
    )


@pytest.mark.usefixtures("rows")
def test_it_groups_types_outside_and_languages_inside() -> None:
    found = queries.groups(1, ["article", "place", "ghost"], ["fre-FR", "eng-GB"])
    assert [(group.item_type, group.item_type_id, group.language, group.count) for group in found] == [
        ("article", 39, "eng-GB", 1),
        ("place", 38, "fre-FR", 1),
        ("place", 38, "eng-GB", 2),
    ]
    assert len(queries.groups(1)) == 3
    assert queries.groups(9) == []


@pytest.mark.usefixtures("rows")
def test_it_counts_visible_items_of_one_site() -> None:
    assert queries.count(1) == 4
    assert queries.count(1, item_type="place", language="eng-GB") == 2
    assert queries.count(2) == 1
    assert queries.languages(1) == ["eng-GB", "fre-FR"]


@pytest.mark.parametrize(
    ("subtree", "expected"), [("/1/2/", 4), ("/1/20/", 1), ("/1/2/1/", 2), ("/2/", 0), ("", 4), ("/", 4)]
)
@pytest.mark.usefixtures("rows")
def test_it_counts_below_a_location(subtree: str, expected: int) -> None:
    assert queries.count(1, subtree=subtree) == expected


@pytest.mark.usefixtures("rows")
def test_it_streams_a_group_in_order() -> None:
    stream = list(queries.stream_payloads(site_id=1, item_type="place", language="eng-GB"))
    assert [(one.content_id, one.remote_id) for one in stream] == [(1, "key-1"), (2, "key-2")]
    assert orjson.loads(stream[0].payload) == {"contentId": 1, "site": 1, "language": "eng-GB"}
    assert list(queries.stream_payloads(site_id=1, item_type="ghost", language="eng-GB")) == []


def test_it_streams_across_pages_from_a_place_to_a_limit(db: None) -> None:
    Item.objects.bulk_create([row(number) for number in range(1, 2502)])

    def numbers(**limits: int) -> list[int]:
        stream = queries.stream_payloads(site_id=1, item_type="place", language="eng-GB", **limits)
        return [one.content_id for one in stream]

    assert numbers() == list(range(1, 2502))
    assert numbers(after=2000, limit=7) == list(range(2001, 2008))
    assert numbers(limit=1000) == list(range(1, 1001))


@pytest.mark.django_db(transaction=True)
def test_it_streams_outside_of_a_transaction_and_lets_the_caller_write() -> None:
    Item.objects.bulk_create([row(number) for number in range(1, 1502)])
    stream = queries.stream_payloads(site_id=1, item_type="place", language="eng-GB")
    first = next(stream)
    Item.objects.filter(content_id=1).update(uri="/elsewhere/")
    assert [first.content_id, *(one.content_id for one in stream)] == list(range(1, 1502))
    assert not connection.in_atomic_block


@pytest.mark.usefixtures("rows")
def test_it_finds_items_by_number_and_by_key() -> None:
    assert queries.find(1, 2, "eng-GB").category_paths == ("/1/2/2/", "/1/20/2/")
    assert queries.find(1, 2, "fre-FR") is None
    assert queries.find(1, 3, "eng-GB") is None
    assert queries.find(2, 2, "eng-GB") is None
    assert queries.find_by_remote_id(1, "key-4", "eng-GB").content_id == 4
    assert queries.find_by_remote_id(2, "key-4", "eng-GB") is None


@pytest.mark.usefixtures("rows")
def test_it_finds_many_in_the_order_asked_for() -> None:
    found = queries.find_many(1, [4, 9, 1], ["fre-FR", "eng-GB"])
    assert [(one.content_id, one.language) for one in found] == [
        (4, "eng-GB"),
        (1, "fre-FR"),
        (1, "eng-GB"),
    ]
    assert [one.content_id for one in queries.find_many(1, [1, 2], subtree="/1/20/")] == [2]


@pytest.mark.usefixtures("rows")
def test_it_lists_a_group_in_pages() -> None:
    pages = [
        queries.list_page(1, item_type="place", language="eng-GB", page=page, page_size=1)
        for page in (1, 2, 3)
    ]
    assert [[one.content_id for one in page] for page in pages] == [[1], [2], []]


def test_it_finds_the_site_of_a_root(magazine: Magazine) -> None:
    shop = Site.objects.create(hostname="shop.test", port=8000, root_page=magazine.shop)
    assert queries.site_for("") == magazine.site.pk
    assert queries.site_for("Shop.test") == shop.pk
    assert queries.site_for("shop.test:8000") == shop.pk
    assert queries.site_for(str(shop.pk)) == shop.pk


@pytest.mark.parametrize("root", ["shop.test:81", "elsewhere.test", "99999"])
def test_it_names_the_sites_where_a_root_is_unknown(magazine: Magazine, root: str) -> None:
    with pytest.raises(queries.UnknownRoot, match=rf"root '{root}'; the Wagtail sites are: localhost:80"):
        queries.site_for(root)


def test_it_says_when_there_is_no_default_site(magazine: Magazine) -> None:
    Site.objects.update(is_default_site=False)
    with pytest.raises(queries.UnknownRoot, match="there is no default site"):
        queries.site_for("")


@pytest.mark.usefixtures("rows")
def test_it_hands_out_payloads_by_number_as_they_are_stored() -> None:
    text = orjson.dumps({"name": "Köln 🌊 \\u0000", "more": ["a,b", None]})
    Item.objects.bulk_create(
        [row(900, payload=text), row(900, language="fre-FR"), row(901, is_visible=False)]
    )
    Item.objects.bulk_create([row(900, site=2), row(902, payload=b"{}")])

    found = queries.stored_many(1, [902, 901, 900, 12345], ["fre-FR", "eng-GB"])

    assert [(number, language) for number, language, _, _ in found] == [
        (902, "eng-GB"),
        (900, "fre-FR"),
        (900, "eng-GB"),
    ]
    assert [remote_id for _, _, remote_id, _ in found] == ["key-902", "key-900", "key-900"]
    assert (bytes(found[0][3]), bytes(found[2][3])) == (b"{}", text)


@pytest.mark.usefixtures("rows")
def test_it_hands_out_every_language_when_none_is_named_and_nothing_for_nothing() -> None:
    Item.objects.bulk_create([row(900, language="fre-FR"), row(900)])

    assert [language for _, language, _, _ in queries.stored_many(1, [900])] == ["eng-GB", "fre-FR"]
    assert queries.stored_many(1, []) == []
    assert queries.stored_many(1, [12345]) == []


@pytest.mark.django_db
def test_it_looks_numbers_up_without_walking_the_site() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL decides by its statistics.")
    sql = by_number.PACKED.format(numbers="1,2,3", languages="")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", [1])
        plan = " ".join(str(step[-1]) for step in cursor.fetchall())

    assert "item_content (content_id=?)" in plan
    assert "item_export" not in plan


def test_it_joins_items_as_the_rows_say(magazine: Magazine) -> None:
    Item.objects.bulk_create(
        [
            *(row(number) for number in (5, 1, 3, 900)),
            row(3, language="fre-FR"),
            row(7, site=2),
            row(8, is_visible=False),
        ]
    )
    for language in ("eng-GB", "fre-FR", ""):
        wanted = [language] if language else []
        rows = queries.stored_many(1, [900, 3, 8, 7, 1, 12345], wanted)
        found = queries.joined(1, [900, 3, 8, 7, 1, 12345], language=language)
        assert found.body == b",".join(payload for *_, payload in rows)
    assert queries.joined(1, [8, 7]).body == b""
    assert queries.joined(1, []).body == b""


def test_the_state_of_joined_items_follows_every_change(magazine: Magazine) -> None:
    Item.objects.bulk_create([row(1), row(2)])
    states = [queries.joined(1, [1, 2]).state]
    assert queries.joined(1, [1, 2]).state == states[0]
    Item.objects.get(content_id=1).save()
    states.append(queries.joined(1, [1, 2]).state)
    Item.objects.filter(content_id=2).update(is_visible=False)
    states.append(queries.joined(1, [1, 2]).state)
    Item.objects.filter(content_id=1).delete()
    states.append(queries.joined(1, [1, 2]).state)
    assert len(set(states)) == 4


def test_chance_shares_draws_as_the_sizes_of_groups_do() -> None:
    shares = [chance.draw([1000, 0, 3000], 40) for _ in range(50)]
    assert {sum(one) for one in shares} == {40}
    assert {one[1] for one in shares} == {0}
    assert 300 < sum(one[0] for one in shares) < 700, "a quarter of 2,000"
    assert chance.draw([1, 2], 10) == [1, 2]


@pytest.mark.django_db
@pytest.mark.parametrize("gap", [1, 100_000], ids=["dense", "sparse"])
def test_chance_reaches_every_item_of_a_large_group(gap: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chance, "SMALL", 10)
    monkeypatch.setattr(chance, "GUESSES", 7)
    for number in range(60):
        row(1 + number * gap).save()
    seen: set[int] = set()
    for _ in range(100):
        found = queries.by_chance(1, ["place"], language="eng-GB", limit=5)
        assert len({one.content_id for one in found}) == 5
        seen |= {one.content_id for one in found}
    assert len(seen) > 50, "of 500 draws from 60 an item is missed once in 4,000"
    assert queries.by_chance(1, ["nonsense"], language="eng-GB", limit=5) == []
