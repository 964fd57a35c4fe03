"""The lake is read by others, as docs/lake.md says ..."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from django.conf import settings

from tests.tracking.test_lake import DAY, NOW, event
from tracking import lake
from tracking.lake_columns import COLUMNS
from tracking.models import Event

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/lake.md").read_text()
TABLES = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
TOP = [("click", 1, "0", 9), ("click", 1, "1", 8), ("click", 1, "2", 8)]


def example(title: str) -> str:
    found = re.search(rf"### {title}\n+```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert found, title
    return found.group(1)


@pytest.fixture
def folder(settings, tmp_path, monkeypatch) -> Path:
    """A folder that holds `lake/` with parts of several kinds, and one that does not count."""
    settings.LAKE_ROOT = tmp_path / "lake"
    shop = {"customer_id": "10101", "price": "4.44", "currency": "EUR"}
    Event.objects.bulk_create([event(n % 7, ts=NOW + (n % 3) * DAY, **shop) for n in range(50)])
    lake.archive()
    Event.objects.bulk_create([event(n, event_id=f"e{n}", **shop) for n in range(5)])
    lake.archive()
    part = lake.files("10101")[0]
    (part.parent / "merged-1-00000000.parquet").write_bytes(part.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@TABLES
def test_duckdb_reads_it(folder):
    with duckdb.connect() as duck:
        for statement in example("DuckDB").split(";"):
            found = duck.execute(statement).fetchall() if statement.strip() else found  # noqa: F821
    assert [row[:4] for row in found] == TOP
    assert str(found[0][4]) == "2023-11-14 22:13:20"


def without(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        importlib.util.find_spec(package) is None, reason=f"{package} is missing: `make readers` installs it"
    )


def run(program: str, *arguments: str, folder: Path) -> list[str]:
    """The lines that a Python program of its own process prints; big libraries stay out of this one."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@TABLES
@without("chdb")
@pytest.mark.timeout(400)
def test_clickhouse_reads_it(folder):
    rows = run("import chdb, sys; print(chdb.query(sys.argv[1]))", example("ClickHouse"), folder=folder)
    assert [row for row in rows if row] == [
        f'"{a}",{b},"{c}",{d},"2023-11-14 22:13:20.000000"' for a, b, c, d in TOP
    ]


@TABLES
@without("pyspark")
@pytest.mark.skipif(not shutil.which("java"), reason="Java 17 or newer is missing, which Spark needs")
@pytest.mark.timeout(400)
def test_spark_reads_it(folder):
    lines = run(example("Spark"), folder=folder)
    rows = [tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in lines]
    assert rows[3:6] == [(a, str(b), c, str(d), "2023-11-14 22:13:20") for a, b, c, d in TOP]


@TABLES
def test_its_columns_are_the_documented_ones(folder):
    listed = re.findall(r"^\| `(\w+)` \| ([A-Z]+(?:\(\d+,\d+\))?) \|", PAGE, re.MULTILINE)
    for part in lake.files("10101"):
        described = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{part}', hive_partitioning = false)")
        assert [(row[0], row[1]) for row in described.fetchall()] == listed
    assert {name for name, _type in listed} == set(COLUMNS) - {"customer_id"}
