"""What holds for every test. Each run has a state folder of its own: see TESTING in config/settings.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

# Some libraries refuse the ORM inside Playwright's event loop thread; our browser tests only read.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(autouse=True)
def _no_customer_remembered() -> None:
    """The directory of customers outlives the rolled back rows of an earlier test."""
    from config.customers.directory import directory

    directory.forget()


@pytest.fixture(autouse=True)
def _no_event_writer_left_behind() -> Iterator[None]:
    """The writer of the event view holds a connection, which would keep the test database from going."""
    yield
    if shared := sys.modules.get("tracking.collector.shared"):
        shared.close()
