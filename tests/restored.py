"""The migrated state of a PostgreSQL test database, brought back after each test that commits.

Django's flush truncates some 100 tables and sends `post_migrate` again, which takes half a second on an idle
machine and several on a busy one, and leaves the database without the rows that migrations bring. Few tables
hold anything after a test: those are emptied, and filled again from copies in a schema of their own.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.test import TransactionTestCase

COPIES = "migrated"

COPY = f"""
    DO $$ DECLARE named text; filled bool; BEGIN
        DROP SCHEMA IF EXISTS {COPIES} CASCADE;
        CREATE SCHEMA {COPIES};
        FOR named IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE 'SELECT EXISTS (SELECT 1 FROM public.' || named || ')' INTO filled;
            IF filled THEN
                EXECUTE 'CREATE TABLE {COPIES}.' || named || ' AS TABLE public.' || named;
            END IF;
        END LOOP;
    END $$
"""
# As a replica: no foreign key asks for an order, and no trigger takes part.
BRING_BACK = f"""
    DO $$ DECLARE named text; filled bool; BEGIN
        SET LOCAL session_replication_role = replica;
        FOR named IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE 'SELECT EXISTS (SELECT 1 FROM public.' || named || ')' INTO filled;
            IF filled THEN
                EXECUTE 'DELETE FROM public.' || named;
            END IF;
        END LOOP;
        FOR named IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = '{COPIES}' LOOP
            EXECUTE 'INSERT INTO public.' || named || ' SELECT * FROM {COPIES}.' || named;
        END LOOP;
    END $$
"""


def possible() -> bool:
    """Whether every test database is PostgreSQL, as a user who may skip foreign keys."""
    return all(each.vendor == "postgresql" for each in connections.all()) and all(
        has_rights(alias) for alias in connections
    )


def has_rights(alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')")
        return bool(cursor.fetchone() == ("on",))


def keep() -> None:
    """Remember the state that tests begin with."""
    for alias in connections:
        with connections[alias].cursor() as cursor:
            cursor.execute(COPY)


def bring_back(case: Any) -> None:
    """What a committing test leaves behind goes; the migrated state comes back."""
    for alias in case._databases_names(include_mirrors=False):
        with connections[alias].cursor() as cursor:
            cursor.execute(BRING_BACK)


def install() -> None:
    TransactionTestCase._fixture_teardown = bring_back  # type: ignore[attr-defined]
