"""Development mode keeps no log of queries, unless a test asks for one."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext


@pytest.mark.django_db
def test_development_mode_keeps_no_log_of_queries(settings: LazySettings) -> None:
    settings.DEBUG = True
    before = len(connection.queries_log)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert len(connection.queries_log) == before


@pytest.mark.django_db
def test_a_log_that_was_asked_for_is_kept() -> None:
    with CaptureQueriesContext(connections["default"]) as queries, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert [query["sql"] for query in queries] == ["SELECT 1"]
