"""Updating an installation whose deliveries are under way ..."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)


def migrated(name: str) -> Any:
    """The models as they are after a migration of dataflows."""
    executor = MigrationExecutor(connection)
    executor.migrate([("dataflows", name)])
    return executor.loader.project_state([("dataflows", name)]).apps.get_model


@pytest.fixture
def newest() -> Any:
    """Whatever a test does to the tables, they are whole again for the others."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate([one for one in executor.loader.graph.leaf_nodes() if one[0] == "dataflows"])


def test_it_goes_on_with_the_chunk_behind_the_last_that_was_processed(newest: Any) -> None:
    old = migrated("0001_initial")
    account = old("profiles", "Account").objects.create(number=4711, name="Shop")
    flow = old("dataflows", "Dataflow").objects.create(account=account, name="Users", status="active")
    of_run = {"dataflow": flow, "kind": "production", "state": "running"}
    runs = {name: old("dataflows", "Run").objects.create(**of_run, number=uuid.uuid4()) for name in "abc"}
    chunk = {"content_type": "application/json", "sha256": "0" * 64, "sealed": "body"}
    for name, done in {"a": [True, True, False], "b": [False]}.items():
        for sequence, is_done in enumerate(done):
            old("dataflows", "Payload").objects.create(
                run=runs[name], sequence=sequence, size=100 + sequence, rows=10, is_done=is_done, **chunk
            )

    new = migrated("0002_counted_chunks")
    counted = {
        name: new("dataflows", "Run").objects.values_list("done_chunks", "done_rows", "size").get(pk=one.pk)
        for name, one in runs.items()
    }
    assert counted == {"a": (2, 20, 303), "b": (0, 0, 100), "c": (0, 0, 0)}
    kept = new("dataflows", "Payload").objects.order_by("run", "sequence").values_list("sequence", "sealed")
    assert list(kept) == [(0, "body"), (1, "body"), (2, "body"), (0, "body")]

    executor = MigrationExecutor(connection)
    leaves = [one for one in executor.loader.graph.leaf_nodes() if one[0] == "dataflows"]
    executor.migrate(leaves)
    apps = executor.loader.project_state(leaves).apps
    assert apps.get_model("dataflows", "Run").objects.filter(state="running", due_at=None).count() == 3
