"""Migrated SQLite test databases, kept between runs and brought back between tests.

176 migrations take 15 seconds of every run, and they give the same tables each time as long as no migration
and no installed package changes. So the first run keeps what they made, under a name that is the digest of
all of them, and later runs begin with it; `migrate` still runs and finds nothing to do. PostgreSQL and other
databases are made afresh each time.

A test that commits gets the same state back afterwards, which takes milliseconds; the flush it replaces takes
a second and leaves databases without the rows that migrations bring.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase

ROOT = Path(__file__).resolve().parent.parent
_kept: dict[str, sqlite3.Connection] = {}


def digest() -> str:
    """Names the migrations of the project, the installed packages and the layout of the databases."""
    found = sha256(repr((sys.version, sorted(settings.DATABASES))).encode())
    for path in sorted(ROOT.glob("*/**/migrations/*.py")):
        if ".venv" not in path.parts:
            found.update(path.read_bytes())
    packages = sorted(f"{each.name} {each.version}" for each in distributions())
    return sha256(found.digest() + "\n".join(packages).encode()).hexdigest()[:32]


def possible() -> bool:
    """Whether every test database is one of SQLite; only those are kept."""
    return all(each.vendor == "sqlite" for each in connections.all())


def name_of(alias: str) -> str:
    """The file of a test database, or its address in memory."""
    return str(connections[alias].creation._get_test_db_name())


@contextmanager
def prepared(cache: Path) -> Iterator[bool]:
    """Fill the databases from ``cache`` where it has them; yields whether. They live until the block ends."""
    folder = cache / digest()
    holders = {
        alias: sqlite3.connect(name_of(alias), uri=name_of(alias).startswith("file:"))
        for alias in connections
    }
    try:
        found = all((folder / alias).exists() for alias in holders)
        if found:
            for alias, holder in holders.items():
                with closing(sqlite3.connect(folder / alias)) as stored:
                    stored.backup(holder)
        yield found
    finally:
        for holder in holders.values():
            holder.close()


def keep(cache: Path) -> None:
    """Remember the state that tests begin with, and store it for later runs."""
    folder = cache / digest()
    folder.mkdir(parents=True, exist_ok=True)
    for alias in connections:
        if str(connections[alias].settings_dict["NAME"]) != name_of(alias):
            continue  # no test of this run uses it
        _kept[alias] = sqlite3.connect(":memory:", check_same_thread=False)
        connections[alias].ensure_connection()
        connections[alias].connection.backup(_kept[alias])
        if not (folder / alias).exists():
            temporary = folder / f"{alias}.{os.getpid()}"
            with closing(sqlite3.connect(temporary)) as stored:
                _kept[alias].backup(stored)
            temporary.replace(folder / alias)


_flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


def bring_back(case: Any) -> None:
    """What a committing test leaves behind goes; the migrated state comes back."""
    aliases = case._databases_names(include_mirrors=False)
    if not _kept.keys() >= set(aliases):
        _flush(case)
        return
    try:
        for alias in aliases:
            connections[alias].ensure_connection()
            _kept[alias].backup(connections[alias].connection)
    except sqlite3.OperationalError:  # a thread of the test still reads
        _flush(case)


def install() -> None:
    """Let committing tests bring the migrated state back."""
    TransactionTestCase._fixture_teardown = bring_back  # type: ignore[attr-defined]
