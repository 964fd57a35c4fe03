"""The environment that processes of tests start with."""

from __future__ import annotations

import os

# What a run with services sets; each installation of a test has files and databases of its own.
OF_A_RUN = ("DATABASE_", "EVENTS_", "REDIS_", "LODESTAR_")


def of_its_own(**changes: str) -> dict[str, str]:
    """The environment of this run without its databases, broker and settings; then ``changes``."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OF_A_RUN)} | changes
