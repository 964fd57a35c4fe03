"""Historical events from a file, through the command."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from django.core.management import CommandError, call_command

from config.customers.directory import create_customer
from personalization.server.items import store
from tracking import queries
from tracking.identity import pseudonym

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

COLUMNS = "user=CustomerID,item=Description,ts=InvoiceDate,quantity=Quantity,price=UnitPrice"
HEADER = "Description,Quantity,InvoiceDate,UnitPrice,CustomerID"
LINES = [
    "WHITE METAL LANTERN,6,2024-12-01 08:26:00,3.39,17850",
    "white metal  lantern,2,2024-12-02 08:26:00,3.50,13047",
    "RED MUG,1,2024-12-01 08:26:00,2.10,17850",
    "RED MUG,-1,2024-12-03 09:00:00,2.10,17850",
    "RED MUG,1,2024-12-03 09:00:00,2.10,",
    ",1,2024-12-03 09:00:00,2.10,17850",
    "RED MUG,1,yesterday,2.10,17850",
    "RED MUG,one,2024-12-03 09:00:00,2.10,17850",
]


@pytest.fixture
def customer() -> str:
    return create_customer(name="Shop", kind="commerce")[0].customer_id


@pytest.fixture
def shop_csv(tmp_path: Path) -> Path:
    path = tmp_path / "lines.csv"
    path.write_text("\n".join([HEADER, *LINES]) + "\n")
    return path


def run(path: Path, customer: str, *more: str, code: int = 0) -> dict[str, object]:
    out = StringIO()
    rejects = f"--rejects={path.with_suffix('.rejects')}"
    arguments = [str(path), "--customer", customer, "--map", COLUMNS, "--json", "--mint-ids", rejects, *more]
    try:
        call_command("import_events", *arguments, currency="GBP", stdout=out)
        ended = 0
    except SystemExit as end:
        ended = int(str(end.code))
    assert ended == code
    summary: dict[str, object] = json.loads(out.getvalue())
    return summary


def test_it_stores_events_and_items_and_counts_what_it_refused(shop_csv: Path, customer: str) -> None:
    summary = run(shop_csv, customer, code=3)
    assert (summary["rows"], summary["stored"], summary["rejected"], summary["items"]) == (8, 3, 5, 2)
    history = queries.history(customer, pseudonym(customer, "17850"), events=("buy",), limit=10)
    assert {(event.quantity, f"{event.price:.2f}", event.currency) for event in history} == {
        (6, "3.39", "GBP"),
        (1, "2.10", "GBP"),
    }


def test_it_takes_user_ids_as_events_carry_them(tmp_path: Path, customer: str) -> None:
    users = ["anna  b", " c", "d\0e", "f\\g", "  "]
    rows = [
        {"Description": "MUG", "InvoiceDate": "2024-12-01", "UnitPrice": 1, "CustomerID": u} for u in users
    ]
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(json.dumps(row | {"Quantity": 1}) + "\n" for row in rows))

    summary = run(path, customer, code=3)

    assert summary["stored"] == 2
    assert summary["reasons"] == {
        "the user has a backslash or a NUL byte, which no event may have": 2,
        "no user": 1,
    }
    for user in users[:2]:
        assert len(queries.history(customer, pseudonym(customer, user))) == 1


def test_it_gives_one_number_to_names_that_differ_in_case_and_space(shop_csv: Path, customer: str) -> None:
    run(shop_csv, customer, code=3)
    rows = store.StoredItem.objects.filter(customer_id=customer)
    items = {value: row for row in rows for key, _, value in row.attributes if key == "name"}
    assert sorted(items) == ["RED MUG", "WHITE METAL LANTERN"]
    lantern = items["WHITE METAL LANTERN"]
    assert (f"{lantern.price:.2f}", lantern.currency) == ("3.50", "GBP")


def test_it_lists_rejected_rows_with_the_reason(shop_csv: Path, customer: str) -> None:
    summary = run(shop_csv, customer, code=3)
    assert summary["rejects"] == str(shop_csv.with_suffix(".rejects"))
    with shop_csv.with_suffix(".rejects").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [(row["row"], row["line"], row["reason"]) for row in rows] == [
        ("4", "5", "a return (negative quantity)"),
        ("5", "6", "no user"),
        ("6", "7", "no item"),
        ("7", "8", "the time is not ISO 8601, or seconds, milliseconds or microseconds since 1970"),
        ("8", "9", "the quantity is not a number"),
    ]
    assert (rows[0]["Description"], rows[0]["Quantity"]) == ("RED MUG", "-1")
    assert "17850" not in shop_csv.with_suffix(".rejects").read_text()


def test_it_overwrites_no_list_of_rejected_rows(shop_csv: Path, customer: str) -> None:
    first, second = (run(shop_csv, customer, code=3)["rejects"] for _ in range(2))
    assert str(second) == str(first).replace(".rejects", "-2.rejects")
    assert Path(str(first)).read_text() == Path(str(second)).read_text()


def test_it_lists_them_beside_the_file_unless_told_otherwise(shop_csv: Path, customer: str) -> None:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command(
            "import_events",
            str(shop_csv),
            customer=customer,
            map=[COLUMNS],
            mint_ids=True,
            currency="GBP",
            stdout=out,
        )
    assert f"Rejected rows are listed in {shop_csv}.rejects.csv." in out.getvalue()
    assert Path(f"{shop_csv}.rejects.csv").exists()


def test_it_changes_nothing_when_the_same_file_comes_again(shop_csv: Path, customer: str) -> None:
    run(shop_csv, customer, code=3)
    again = run(shop_csv, customer, code=3)
    assert (again["stored"], again["duplicates"]) == (0, 3)


def test_it_stores_nothing_in_a_dry_run(shop_csv: Path, customer: str) -> None:
    summary = run(shop_csv, customer, "--dry-run", code=3)
    assert summary["stored"] == 3
    assert not store.StoredItem.objects.filter(customer_id=customer).exists()
    assert queries.history(customer, pseudonym(customer, "17850"), events=("buy",), limit=10) == []


def test_it_reads_parquet_with_its_own_types(tmp_path: Path, customer: str, shop_csv: Path) -> None:
    path = tmp_path / "lines.parquet"
    duckdb.sql(
        f"COPY (SELECT Description, Quantity::INT AS Quantity, InvoiceDate::TIMESTAMP AS InvoiceDate, "
        f"UnitPrice::DOUBLE AS UnitPrice, CustomerID::DOUBLE AS CustomerID "
        f"FROM read_csv('{shop_csv}', all_varchar=true) WHERE Quantity IN ('6', '2')) "
        f"TO '{path}' (FORMAT parquet)"
    )
    assert run(path, customer)["stored"] == 2


def test_it_reads_lists_and_repeated_values_of_ndjson(tmp_path: Path, customer: str) -> None:
    path = tmp_path / "lines.ndjson"
    lines = [
        {
            "CustomerID": 7,
            "Description": name,
            "InvoiceDate": f"2024-12-01T08:{minute}:00+01:00",
            "Tags": tags,
        }
        for minute, name, tags in (
            (10, "RED MUG", ["a"]),
            (10, "RED MUG", ["a"]),
            (30, "BLUE MUG", ["b", "c"]),
        )
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    columns = "user=CustomerID,item=Description,ts=InvoiceDate,title=Tags"
    out = StringIO()
    arguments = [str(path), "--customer", customer, "--map", columns, "--mint-ids", "--json"]
    call_command("import_events", *arguments, stdout=out)
    assert json.loads(out.getvalue())["stored"] == 3
    history = queries.history(customer, pseudonym(customer, "7"), events=("buy",), limit=10)
    moments = sorted(datetime.fromtimestamp(event.ts / 1e6, UTC) for event in history)
    assert [f"{moment:%H:%M}" for moment in moments] == ["07:10", "07:10", "07:30"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--map", "user=Customer"], "There is no column 'Customer'. Did you mean 'CustomerID'?"),
        (["--map", "usr=CustomerID"], "There is no field 'usr'. Did you mean 'user'?"),
        (["--map", "user=CustomerID"], "--map does not say which column holds 'ts'"),
        (["--map", COLUMNS, "--event", "bye"], "--event: there is no event 'bye'."),
        (["--map", COLUMNS, "--customer", "nobody"], "Customer 'nobody' not found."),
    ],
)
def test_it_refuses_wrong_use_in_one_sentence(
    shop_csv: Path, customer: str, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("import_events", str(shop_csv), "--customer", customer, *arguments)
    assert sentence in str(refused.value)
    assert refused.value.returncode == 2


def test_it_says_that_a_file_is_missing_or_unreadable(tmp_path: Path, customer: str) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"not a parquet file")
    for path, sentence in ((tmp_path / "gone.csv", "There is no file"), (broken, "cannot be read")):
        with pytest.raises(CommandError, match=sentence):
            call_command("import_events", str(path), "--customer", customer, "--map", COLUMNS)
