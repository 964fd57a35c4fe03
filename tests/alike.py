"""Tests that run the same whichever database and broker there are, and so need to run only once.

pytest-django lets no test near a database that does not ask for one, so what is left to tell two runs apart
is the environment that a child process inherits. `shut_off` spoils it in every run: a test that would meet a
database through it fails in the run without services too, and is never left out unseen.
"""

from __future__ import annotations

import pytest

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}
ELSEWHERE = ("service", "chaos", "browser")
ADDRESSES = ("DATABASE_URL", "EVENTS_DATABASE_URL", "REDIS_URL")
SPOILED = "no-database-for-this-test://mark it django_db or service"


def alike(item: pytest.Item) -> bool:
    """Whether ``item`` asks for no database and no service."""
    asked = DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return not asked and not any(item.get_closest_marker(name) for name in ("django_db", *ELSEWHERE))


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep only what a run with other databases may answer differently."""
    left = [item for item in items if alike(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not alike(item)]


def shut_off(item: pytest.Item, patch: pytest.MonkeyPatch) -> None:
    """Let no child process of a test that is the same everywhere inherit a database or a broker."""
    if alike(item):
        for name in ADDRESSES:
            patch.setenv(name, SPOILED)
