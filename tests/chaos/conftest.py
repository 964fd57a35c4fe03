from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.postgres import Cluster, cluster


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server whose sessions may be killed. Each test makes a database of its own."""
    with cluster() as server:
        yield server
