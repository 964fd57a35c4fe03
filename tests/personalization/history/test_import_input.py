"""What a file of history may look like, good and bad, through the command."""

from __future__ import annotations

import csv
import gzip
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from config.customers.directory import create_customer
from personalization.history.source import opened
from personalization.server.items import mapping, store
from tracking.models import Event

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

MAP = "user=who,item=what,ts=at"
HEADER = "who,what,at,more"
GOOD = ["7,11,2024-12-01 08:26:00,x", "8,12,2024-12-02 08:26:00,y"]


@pytest.fixture
def customer() -> str:
    return create_customer(name="Shop", kind="commerce")[0].customer_id


def run(path: Path, customer: str, *more: str, columns: str = MAP) -> dict[str, object]:
    out = StringIO()
    arguments = [str(path), "--customer", customer, "--map", columns, "--json", *more]
    with suppress(SystemExit):
        call_command("import_events", *arguments, stdout=out)
    summary: dict[str, object] = json.loads(out.getvalue())
    return summary


def rejected(path: Path) -> list[tuple[str, str]]:
    with Path(f"{path}.rejects.csv").open() as handle:
        return [(row["line"], row["reason"]) for row in csv.DictReader(handle)]


def written(path: Path, lines: list[str], *, encoding: str = "utf-8", end: str = "\n") -> Path:
    path.write_bytes("".join(line + end for line in lines).encode(encoding))
    return path


def as_json(lines: list[str]) -> list[str]:
    return [json.dumps(dict(zip(HEADER.split(","), line.split(","), strict=True))) for line in lines]


FORMS = [
    ("a.csv", [HEADER, *GOOD], {}),
    ("bom.csv", [HEADER, *GOOD], {"encoding": "utf-8-sig"}),
    ("dos.csv", [HEADER, *GOOD], {"end": "\r\n"}),
    ("mac.csv", [HEADER, *GOOD], {"end": "\r"}),
    ("semicolon.csv", [line.replace(",", ";") for line in (HEADER, *GOOD)], {}),
    ("tab.csv", [line.replace(",", "\t") for line in (HEADER, *GOOD)], {}),
    ("quotes.csv", [HEADER, '"7","11",2024-12-01,"a ""b"" , c"', '"8",12,2024-12-02,"two\nlines"'], {}),
    ("inches.csv", [HEADER, '7,11,2024-12-01,5" mug', "8,12,2024-12-02,"], {}),
    ("blank.csv", [HEADER, "", *GOOD, "", ""], {}),
    ("a.ndjson", as_json(GOOD), {}),
    ("blank.jsonl", ["", *as_json(GOOD), ""], {}),
    ("bom.ndjson", as_json(GOOD), {"encoding": "utf-8-sig"}),
]


@pytest.mark.parametrize(("name", "lines", "how"), FORMS, ids=[form[0] for form in FORMS])
def test_it_reads_every_form(tmp_path: Path, customer: str, name: str, lines, how) -> None:
    summary = run(written(tmp_path / name, lines, **how), customer)
    assert (summary["stored"], summary["rejected"]) == (2, 0)
    assert {(event.item_id) for event in Event.objects.filter(customer_id=customer)} == {"11", "12"}


@pytest.mark.parametrize(("name", "lines"), [("a.csv.gz", [HEADER, *GOOD]), ("a.ndjson.gz", as_json(GOOD))])
def test_it_reads_packed_files(tmp_path: Path, customer: str, name: str, lines: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert run(path, customer)["stored"] == 2


def test_it_reads_other_encodings_when_told(tmp_path: Path, customer: str) -> None:
    path = written(tmp_path / "a.csv", [HEADER, "7,Käse,2024-12-01,x"], encoding="latin-1")
    run(path, customer, "--mint-ids", "--encoding", "latin-1")
    [item] = store.StoredItem.objects.filter(customer_id=customer)
    assert ["name", "TEXT", "Käse"] in item.attributes


BROKEN = [
    ("few.csv", [HEADER, GOOD[0], "7,11", GOOD[1]], ("3", "the row has fewer columns than the header")),
    (
        "many.csv",
        [HEADER, GOOD[0], GOOD[0] + ",z", GOOD[1]],
        ("3", "the row has more columns than the header"),
    ),
    (
        "open.csv",
        [HEADER, GOOD[0], '7,11,2024-12-01,"open', GOOD[1]],
        ("3", "the row is not CSV (a quote is not closed)"),
    ),
    (
        "quote.csv",
        [HEADER, GOOD[0], '7,11,2024-12-01,"a"b', GOOD[1]],
        ("3", "the row is not CSV (',' expected after '\"')"),
    ),
    (
        "cut.ndjson",
        [*as_json(GOOD[:1]), '{"who": 7, "wh', *as_json(GOOD[1:])],
        ("2", "the line is not a JSON object"),
    ),
    (
        "list.ndjson",
        [*as_json(GOOD[:1]), "[1, 2]", *as_json(GOOD[1:])],
        ("2", "the line is not a JSON object"),
    ),
    (
        "less.ndjson",
        [*as_json(GOOD[:1]), '{"who": 7, "at": "2024-12-01"}', *as_json(GOOD[1:])],
        ("2", "no item"),
    ),
]


@pytest.mark.parametrize(("name", "lines", "reason"), BROKEN, ids=[row[0] for row in BROKEN])
def test_it_rejects_one_broken_line_and_goes_on(tmp_path: Path, customer: str, name, lines, reason) -> None:
    path = written(tmp_path / name, lines)
    assert run(path, customer)["stored"] == 2
    assert rejected(path) == [reason]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("at", "", "no time"),
        ("at", "12/1/2010 8:26", "the time is not ISO 8601"),
        ("at", "1901-01-01", "the time is not between 1990 and now"),
        ("at", "2999-01-01", "the time is not between 1990 and now"),
        ("at", "86400", "the time is not ISO 8601"),
        ("who", " ", "no user"),
        ("who", "x" * 1_025, "the user is longer"),
        ("what", "mug", "the item is not a number"),
        ("what", "3000000000", "the item is not a number"),
        ("quantity", "1.5", "the quantity is not a whole number"),
        ("quantity", "0", "the quantity is not a whole number"),
        ("quantity", "1000001", "the quantity is not a whole number"),
        ("quantity", "-2", "a return"),
        ("quantity", "1_0", "the quantity is not a number"),
        ("quantity", "1e999999", "the quantity is not a number"),
        ("price", "3;39", "the price is not a number"),
        ("price", "12345678901", "the price has more than ten digits"),
        ("price", "nan", "the price is not a number"),
        ("price", "-1", "the price is negative"),
        ("currency", "EURO", "the currency is not a code"),
        ("currency", "", "no currency of the price"),
        ("category", "x" * 1_025, "the category is not"),
        ("event", "purchase", "the event is none that is known"),
        ("event", "rate", "no rating, which rate needs"),
        ("event", "login", "no target, which login needs"),
        ("event", "clickrecommended", "no scenario, which clickrecommended needs"),
        ("event", "triggeropened", "no triggername, which triggeropened needs"),
        ("event", "clicktriggered", "no triggername, which clicktriggered needs"),
        ("eventid", "a b", "the eventid must be an id that the sender repeats"),
        ("lang", "english, french", "the lang must be language of the page"),
        ("segments", "vip", "the segments must be segment ids joined by commas"),
        ("scenario", "x" * 65, "the scenario must be 1 to 64 characters"),
        ("requestuuid", "a_b", "the requestuuid must be 1 to 36 letters"),
        ("target", "a\\b", "the target has a backslash"),
        ("rating", "101", "the rating is not from 0 to 100"),
        ("percentage", "-1", "the percentage is not from 0 to 100"),
    ],
)
def test_it_rejects_a_wrong_value(
    tmp_path: Path, customer: str, column: str, value: str, reason: str
) -> None:
    right = {"who": "7", "what": "11", "at": "2024-12-01", "quantity": "1", "price": "1.5", "currency": "EUR"}
    right |= {"category": "a/b", "event": "buy", "rating": "", "percentage": ""}
    right |= dict.fromkeys(("eventid", "lang", "segments", "scenario", "requestuuid", "target"), "")
    path = tmp_path / "a.ndjson"
    path.write_text("\n".join(json.dumps(row) for row in (right, right | {column: value})))
    same = ",".join(f"{name}={name}" for name in list(right)[3:])
    assert run(path, customer, columns=f"{MAP},{same}")["stored"] == 1
    [(line, given)] = rejected(path)
    assert line == "2"
    assert given.startswith(reason)


def test_it_rounds_prices_and_takes_free_ones(tmp_path: Path, customer: str) -> None:
    path = written(
        tmp_path / "a.csv", ["who,what,at,price", "7,11,2024-12-01,0.30000000000000004", "7,11,2024-12-02,0"]
    )
    run(path, customer, "--currency", "EUR", columns=f"{MAP},price=price")
    assert sorted(float(event.price) for event in Event.objects.filter(customer_id=customer)) == [0, 0.3]
    assert float(store.StoredItem.objects.get(customer_id=customer).price) == 0.3


TIMES = [
    ("2024-07-01T10:00:00", "Europe/Paris", "2024-07-01T08:00"),
    ("2024-07-01 10:00", "UTC", "2024-07-01T10:00"),
    ("2024-07-01T10:00:00+05:00", "Europe/Paris", "2024-07-01T05:00"),
    ("2024-07-01T10:00:00Z", "Europe/Paris", "2024-07-01T10:00"),
    ("2024-07-01", "Europe/Paris", "2024-06-30T22:00"),
    ("20240701", "UTC", "2024-07-01T00:00"),
    ("1719828000", "Europe/Paris", "2024-07-01T10:00"),
    ("1719828000.5", "UTC", "2024-07-01T10:00"),
    ("1719828000000", "UTC", "2024-07-01T10:00"),
    ("1719828000000000", "UTC", "2024-07-01T10:00"),
    (1719828000, "UTC", "2024-07-01T10:00"),
    (1719828000.0, "UTC", "2024-07-01T10:00"),
]


@pytest.mark.parametrize(("value", "zone", "utc"), TIMES)
def test_it_reads_times(tmp_path: Path, customer: str, value: object, zone: str, utc: str) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(json.dumps({"who": "7", "what": 11, "at": value}))
    run(path, customer, "--time-zone", zone)
    [event] = Event.objects.filter(customer_id=customer)
    assert f"{datetime.fromtimestamp(event.ts / 1e6, UTC):%Y-%m-%dT%H:%M}" == utc


FORMATS = [
    ("01.07.2024 10:00", "%d.%m.%Y %H:%M", "2024-07-01T08:00"),
    ("7/1/24 10:00 PM", "%m/%d/%y %I:%M %p", "2024-07-01T20:00"),
    ("01 Jul 2024", "%d %b %Y", "2024-06-30T22:00"),
    ("2024-07-01 10:00 -0500", "%Y-%m-%d %H:%M %z", "2024-07-01T15:00"),
    (20240701, "%Y%m%d", "2024-06-30T22:00"),
]


@pytest.mark.parametrize(("value", "form", "utc"), FORMATS)
def test_it_reads_times_of_a_form(tmp_path: Path, customer: str, value: object, form: str, utc: str) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(json.dumps({"who": "7", "what": 11, "at": value}))
    run(path, customer, "--time-zone", "Europe/Paris", "--time-format", form)
    [event] = Event.objects.filter(customer_id=customer)
    assert f"{datetime.fromtimestamp(event.ts / 1e6, UTC):%Y-%m-%dT%H:%M}" == utc


def test_it_rejects_times_of_another_form(tmp_path: Path, customer: str) -> None:
    lines = ["7,11,2024-12-01,x", "7,11,31.02.2024,x", "7,11,,x", "7,11,01.12.2024,x"]
    path = written(tmp_path / "a.csv", [HEADER, *lines])
    assert run(path, customer, "--time-format", "%d.%m.%Y")["stored"] == 1
    other = "the time is not of the form %d.%m.%Y"
    assert rejected(path) == [("2", other), ("3", other), ("4", "no time")]


def test_it_reads_decimal_commas(tmp_path: Path, customer: str) -> None:
    prices = ["2,50", "1.234,5", "1.234.567", "7", ",99", "3,", "-1,5", "2.50", "1.23,4", "1,2,3", "1_0,5"]
    path = written(tmp_path / "a.csv", [HEADER.replace(",", ";"), *(f"7;11;2024-12-01;{p}" for p in prices)])
    run(path, customer, "--map", "price=more", "--currency", "EUR", "--decimal", ",")
    stored = Event.objects.filter(customer_id=customer).order_by("pk").values_list("price", flat=True)
    assert [f"{price:f}".rstrip("0").rstrip(".") for price in stored] == [
        *("2.5", "1234.5", "1234567", "7", "0.99", "3")
    ]
    wrong = "the price is not a number with a decimal comma"
    point = f"{wrong} (it has a decimal point, see --decimal)"
    assert [reason for _line, reason in rejected(path)] == [
        "the price is negative",
        point,
        point,
        wrong,
        wrong,
    ]


def test_it_leaves_numbers_that_are_no_texts_as_they_are(tmp_path: Path, customer: str) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(json.dumps({"who": "7", "what": 11, "at": "2024-12-01", "more": 2.5}))
    run(path, customer, "--map", "price=more", "--currency", "EUR", "--decimal", ",")
    assert Event.objects.get(customer_id=customer).price == Decimal("2.5")


@pytest.mark.parametrize(
    ("kind", "utc"), [("TIMESTAMP", "08:00"), ("TIMESTAMPTZ", "10:00")], ids=["without a zone", "with a zone"]
)
def test_it_reads_times_of_parquet(tmp_path: Path, customer: str, kind: str, utc: str) -> None:
    path = tmp_path / "a.parquet"
    value = f"'2024-07-01 10:00:00{'+00' if kind.endswith('TZ') else ''}'::{kind}"
    duckdb.sql(f"COPY (SELECT 7 AS who, 11 AS what, {value} AS at) TO '{path}' (FORMAT parquet)")
    run(path, customer, "--time-zone", "Europe/Paris")
    [event] = Event.objects.filter(customer_id=customer)
    assert f"{datetime.fromtimestamp(event.ts / 1e6, UTC):%H:%M}" == utc


def test_it_takes_the_event_from_a_column(tmp_path: Path, customer: str) -> None:
    path = written(
        tmp_path / "a.csv",
        [HEADER, "7,11,2024-12-01,view", "7,11,2024-12-02,transaction", "7,11,2024-12-03,"],
    )
    run(
        path,
        customer,
        "--event-map",
        "view=click,transaction=buy",
        "--event=basket",
        columns=f"{MAP},event=more",
    )
    found = Event.objects.filter(customer_id=customer).order_by("ts").values_list("event", "quantity")
    assert list(found) == [("click", None), ("buy", 1), ("basket", None)]


def test_it_keeps_the_categories_of_items(tmp_path: Path, customer: str) -> None:
    lines = [
        "who,what,at,path",
        "7,11,2024-12-01,/Toys/Bears/",
        "8,11,2024-12-01,Gifts",
        "7,12,2024-12-01,Toys",
    ]
    run(written(tmp_path / "a.csv", lines), customer, columns=f"{MAP},category=path")
    run(written(tmp_path / "b.csv", [HEADER, "7,11,2024-12-05,"]), customer)
    paths = dict(
        store.StoredItem.objects.filter(customer_id=customer).values_list("item_id", "category_paths")
    )
    assert paths == {"11": ["Toys/Bears", "Gifts"], "12": ["Toys"]}


def test_it_leaves_items_alone_that_a_catalogue_has_described(tmp_path: Path, customer: str) -> None:
    shown = mapping.Columns(
        item_type=40,
        item_id="11",
        type_identifier="product",
        uri="/bear",
        attributes=[["name", "TEXT", "Bear"]],
    )
    store.upsert(customer, [shown], language="eng-GB", moment="20200101000000000")
    run(written(tmp_path / "a.csv", [HEADER, *GOOD]), customer)
    rows = store.StoredItem.objects.filter(customer_id=customer).order_by("item_id")
    assert [(row.item_id, row.uri, row.language) for row in rows] == [
        ("11", "/bear", "eng-GB"),
        ("12", "", ""),
    ]


def cut_parquet(path: Path) -> None:
    duckdb.sql(f"COPY (SELECT range AS who, 1 AS what, DATE '2024-01-01' AS at FROM range(9)) TO '{path}'")
    path.write_bytes(path.read_bytes()[:-20])


def damaged_parquet(path: Path) -> None:
    rows = "SELECT range AS who, 1 + range AS what, DATE '2024-01-01' AS at FROM range(900)"
    duckdb.sql(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(200) + whole[204:])


UNREADABLE = [
    ("gone.csv", lambda path: None, "There is no file"),
    ("folder.csv", lambda path: path.mkdir(), "is a folder; name one file"),
    ("fifo.csv", os.mkfifo, "is not a regular file"),
    ("a.xlsx", lambda path: path.write_bytes(b"PK"), "a.xlsx does not end in one of .csv"),
    ("empty.csv", lambda path: path.write_bytes(b""), "empty.csv is empty."),
    ("blank.csv", lambda path: path.write_bytes(b"\n \n"), "no line with the names of the columns"),
    ("empty.ndjson", lambda path: path.write_bytes(b""), "empty.ndjson is empty."),
    ("empty.parquet", lambda path: path.write_bytes(b""), "empty.parquet is empty."),
    ("array.ndjson", lambda path: path.write_bytes(b"[\n1\n]\n"), "has no JSON object"),
    (
        "latin.csv",
        lambda path: path.write_bytes(b"who,what,at\n1,2,3\n1,K\xe4se,3\n"),
        "is not UTF-8 in line 3. If it",
    ),
    ("utf16.csv", lambda path: path.write_bytes(HEADER.encode("utf-16")), "is UTF-16: add --encoding utf-16"),
    ("binary.csv", lambda path: path.write_bytes(b"PAR1\0\0\1"), "is not a text file"),
    ("long.csv", lambda path: path.write_bytes(b"x" * 3_000_000), "has a line of more than a million"),
    ("plain.csv.gz", lambda path: path.write_bytes(b"who,what\n"), "cannot be unpacked"),
    (
        "cut.csv.gz",
        lambda path: path.write_bytes(gzip.compress(os.urandom(999).hex().encode())[:-90]),
        "cannot be unpacked",
    ),
    ("cut.parquet", cut_parquet, "cut.parquet cannot be read"),
    ("damaged.parquet", damaged_parquet, "damaged.parquet cannot be read"),
]


@pytest.mark.parametrize(("name", "make", "sentence"), UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_it_refuses_a_file_it_cannot_read_and_does_nothing(
    tmp_path: Path, customer: str, name, make, sentence
) -> None:
    make(tmp_path / name)
    refused(tmp_path / name, customer, ["--map", MAP], sentence)


WRONG = [
    (["--map", MAP, "--event", "by"], "--event: there is no event 'by'. Did you mean 'buy'?"),
    (["--map", MAP, "--event", "login"], "which column holds 'target', which login needs: add target=Column"),
    (["--map", MAP, "--event", "follow"], "which column holds 'scenario', which clickrecommended needs"),
    (
        ["--map", "user=who,ts=at,event=more"],
        "holds 'item', which an event of an item needs: add item=Column",
    ),
    (["--map", MAP, "--event", "rate"], "which column holds 'rating', which rate needs: add rating=Column"),
    (["--map", f"{MAP},event=more", "--event-map", "view"], "--event-map takes word=event; got 'view'."),
    (["--map", f"{MAP},event=more", "--event-map", "view=klick"], "Did you mean 'click'?"),
    (["--map", MAP, "--event-map", "view=click"], "--event-map needs the column with its words"),
    (["--map", f"{MAP},price=more"], "The prices have no currency: add --currency EUR"),
    (
        ["--map", MAP, "--currency", "GPB"],
        "--currency: there is no currency 'GPB' in ISO 4217. Did you mean 'GBP'?",
    ),
    (["--map", MAP, "--currency", "gbp"], "--currency is written in capitals: GBP; got 'gbp'."),
    (["--map", MAP, "--language", "english"], "--language: The language code 'english' is unknown."),
    (["--map", MAP, "--language", "eng-XX"], "--language: The language code 'eng-XX' is unknown."),
    (["--map", MAP, "--type-identifier", "my type"], "--type-identifier takes 1 to 64 letters"),
    (["--map", MAP, "--item-type", "0"], "--item-type takes a number from 1"),
    (
        ["--map", MAP, "--time-zone", "Europe/Pari"],
        "no time zone 'Europe/Pari'. Did you mean 'Europe/Paris'?",
    ),
    (["--map", MAP, "--time-format", "%d.%m. %H:%M"], "must hold year, month and day, such as"),
    (["--map", MAP, "--time-format", "%Y-%m-%d %Z"], "names of zones (%Z) are ambiguous; use %z"),
    (["--map", MAP, "--time-format", "%Y-%m-%d %Q"], "--time-format: '%Y-%m-%d %Q' cannot be read"),
    (["--map", MAP, "--time-format", "day"], "must hold year, month and day"),
    (["--map", MAP, "--decimal", ";"], "--decimal takes a point or a comma; got ';'."),
    (["--map", MAP, "--encoding", "latin-99"], "--encoding: there is no encoding 'latin-99'."),
    (["--map", "user"], "--map takes field=Column; got 'user'."),
    (["--map", "user="], "--map takes field=Column; got 'user='."),
    (["--map", "user=who,user=what"], "--map names the field 'user' twice."),
    (
        ["--map", MAP, "--rejects", "/nowhere/at/all.csv"],
        "Rejected rows cannot be written to /nowhere/at/all.csv",
    ),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG)
def test_it_refuses_wrong_options_and_does_nothing(
    tmp_path: Path, customer: str, arguments: list[str], sentence: str
) -> None:
    refused(written(tmp_path / "a.csv", [HEADER, *GOOD]), customer, arguments, sentence)


def refused(path: Path, customer: str, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError) as wrong:
        call_command("import_events", str(path), "--customer", customer, *arguments)
    assert sentence in str(wrong.value)
    assert wrong.value.returncode == 2
    assert not Event.objects.exists()
    assert not store.StoredItem.objects.exists()
    assert not list(path.parent.glob("*.rejects.csv"))


def test_it_refuses_a_second_name_for_an_item_type(tmp_path: Path, customer: str) -> None:
    path = written(tmp_path / "a.csv", [HEADER, *GOOD])
    run(path, customer)
    with pytest.raises(CommandError, match="items of the type 40 are product"):
        call_command("import_events", str(path), customer=customer, map=[MAP], type_identifier="article")


def test_it_refuses_a_column_that_is_there_twice(tmp_path: Path, customer: str) -> None:
    path = written(tmp_path / "a.csv", ["who,what,at,who", "1,2,2024-01-01,3"])
    refused(path, customer, ["--map", MAP], "The file has the column 'who' 2 times.")


def test_it_takes_columns_with_commas(tmp_path: Path, customer: str) -> None:
    path = written(tmp_path / "a.csv", ['"who, in full",what,at', "7,11,2024-12-01"])
    assert run(path, customer, "--map", "item=what,ts=at", columns="user=who, in full")["stored"] == 1


def test_it_brings_only_what_is_new_in_a_file_that_grew(tmp_path: Path, customer: str) -> None:
    path = written(tmp_path / "a.csv", [HEADER, GOOD[0], GOOD[0]])
    assert run(path, customer)["stored"] == 2
    written(path, [HEADER, GOOD[0], GOOD[0], GOOD[1]])
    summary = run(path, customer)
    assert (summary["stored"], summary["duplicates"]) == (1, 2)


def test_it_is_answered_with_the_bestsellers_of_a_category(
    tmp_path: Path, customer: str, client: Client
) -> None:
    lines = [f"{n},{11 + n % 4},{1_700_000_000 + n},{'Toys/Bears' if n % 2 else 'Gifts'}" for n in range(40)]
    run(
        written(tmp_path / "a.csv", ["who,what,at,path", *lines]),
        customer,
        "--event=click",
        columns=f"{MAP},category=path",
    )
    out = StringIO()
    call_command("build_models", customer=customer, stdout=out)
    assert out.getvalue().count("top_clicked") == 1
    answer = client.get(f"/api/v2/{customer}/visitor/popular.json?categorypath=Toys&outputtypeid=40").json()
    assert {item["itemId"] for item in answer["recommendationItems"]} == {12, 14}


def test_it_says_how_to_find_an_item(tmp_path: Path, customer: str) -> None:
    lines = ["who,what,at", "7,METAL SIGN,1700000000", "7,Bathroom metal sign,1700000000", "7,Mug,1700000000"]
    summary = run(written(tmp_path / "a.csv", lines), customer, "--mint-ids")
    out = StringIO()
    call_command("find_items", "metal S", customer=customer, stdout=out)
    assert [line.split(maxsplit=2)[2] for line in out.getvalue().splitlines()] == [
        "name",
        "METAL SIGN",
        "Bathroom metal sign",
    ]
    examples = {example["title"]: example["item"] for example in summary["examples"]}
    assert examples["METAL SIGN"] in out.getvalue()
    for arguments, sentence in (
        (["spoon", "--customer", customer], "no item whose name holds 'spoon'"),
        ([" ", "--customer", customer], "TEXT must hold part of a name"),
        (["spoon", "--customer", "nobody"], "Customer 'nobody' not found."),
        (["spoon", "--customer", customer, "--limit", "0"], "--limit must be 1 or more; got 0."),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("find_items", *arguments)


def test_it_holds_back_the_last_line_of_a_file_that_is_being_written(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [HEADER, *GOOD])
    with path.open("a") as file:
        file.write("9,1,2024-12-0")
    source = opened(path)
    with path.open("a") as file:
        file.write("3 10:00,x\n")
    assert len(list(source.rows(["who", "what", "at"]))) == 2
    assert source.grew()
