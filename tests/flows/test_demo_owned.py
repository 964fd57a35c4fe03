"""`manage.py demo --reset` throws away what is marked as the demo's, and nothing else."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.flows.installation import Installation

ENDED = "2026-01-01T00:00:00+00:00\n"
MARK = "0123456789abcdef0123456789abcdef"
STATE = "from personalization.demo import owned; print(owned.state().name)"


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """The database of a shop that has nothing to do with the demo."""
    path = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id)")
        connection.commit()
    return path


def tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]


def test_it_knows_its_own_folder_and_databases(tmp_path: Path) -> None:
    demo = Installation(var_dir=tmp_path / "var")
    assert demo.python(STATE).strip() == "EMPTY"
    begun = "from personalization.demo import owned; owned.begin(); print(owned.state().name)"
    assert demo.python(begun).strip() == "UNFINISHED"
    ended = "from personalization.demo import owned; owned.complete(); print(owned.state().name)"
    assert demo.python(ended).strip() == "READY"
    forgotten = "from personalization.demo import owned; owned.forget(); print(owned.state().name)"
    assert demo.python(forgotten).strip() == "UNFINISHED"


@pytest.mark.parametrize("mark", ["", MARK])
@pytest.mark.parametrize("variable", ["DATABASE_URL", "EVENTS_DATABASE_URL"])
def test_it_leaves_a_database_alone_that_is_not_the_folders(
    mark: str, variable: str, orders: Path, tmp_path: Path
) -> None:
    demo = Installation(var_dir=tmp_path / "var", extra_env={variable: f"sqlite:///{orders}"})
    demo.var_dir.mkdir()
    (demo.var_dir / "demo").write_text(f"{ENDED}{mark}\n")
    for options in ([], ["--reset"]):
        done = demo.attempt("manage.py", "demo", "--no-serve", *options)
        assert done.returncode == 2
        assert "names a database that is not marked as that demo's; both were left untouched" in done.stderr
    assert tables(orders) == ["orders"]


def test_it_leaves_the_demo_of_another_folder_alone(tmp_path: Path) -> None:
    one = Installation(var_dir=tmp_path / "one")
    one.python("from personalization.demo import owned; owned.begin()")
    address = f"sqlite:///{one.var_dir / 'lodestar.sqlite3'}"
    two = Installation(var_dir=tmp_path / "two", extra_env={"DATABASE_URL": address})
    two.var_dir.mkdir()
    (two.var_dir / "demo").write_text(f"{ENDED}{MARK}\n")
    assert two.python(STATE).strip() == "MISMATCH"


def test_it_leaves_pictures_and_events_alone_that_no_demo_made(tmp_path: Path) -> None:
    own = Installation(var_dir=tmp_path / "var")
    picture = own.var_dir / "media/original_images/cat.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a cat")
    done = own.attempt("manage.py", "demo", "--no-serve", "--reset")
    assert done.returncode == 2
    assert "is not the demo; it was left untouched" in done.stderr
    assert picture.read_bytes() == b"a cat"


def test_it_still_knows_a_demo_that_was_made_before_there_were_marks(tmp_path: Path) -> None:
    demo = Installation(var_dir=tmp_path / "var")
    demo.var_dir.mkdir()
    (demo.var_dir / "demo").write_text(ENDED)
    for name in ("lodestar.sqlite3", "events.sqlite3"):
        with closing(sqlite3.connect(demo.var_dir / name)) as connection:
            connection.execute("CREATE TABLE django_migrations (id)")
            connection.commit()
    assert "its data are kept" in demo.manage("demo", "--no-serve")


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A PostgreSQL database of the test's own."""
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"lodestar_demo_{uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.service
@pytest.mark.skipif(
    "not __import__('os').environ.get('DATABASE_URL', '').startswith('postgres')",
    reason="DATABASE_URL names no PostgreSQL",
)
@pytest.mark.timeout(900)
def test_it_starts_over_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    demo = Installation(var_dir=tmp_path / "var", extra_env={"DATABASE_URL": postgres_url})
    demo.python("from personalization.demo import owned, build; owned.begin(); build.migrate(print)")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id integer)")
        connection.execute("UPDATE wagtailcore_locale SET language_code = 'de'")
        assert "The demo is ready" in demo.manage("demo", "--reset", "--no-serve")
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
        codes = connection.execute("SELECT language_code FROM wagtailcore_locale ORDER BY 1").fetchall()
        assert codes == [("en",), ("fr",)]

        other = Installation(var_dir=tmp_path / "other", extra_env={"DATABASE_URL": postgres_url})
        done = other.attempt("manage.py", "demo", "--reset", "--no-serve")
        assert done.returncode == 2
        assert "is not the demo; it was left untouched" in done.stderr
        assert connection.execute("SELECT count(*) FROM wagtailcore_page").fetchone() > (10,)
