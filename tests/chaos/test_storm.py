"""Collector, worker and sessions of the database are killed at random while events come, and ...

CHAOS=full sends 100,000 events on each database; CHAOS_SEED repeats the seed that a failure prints.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.postgres import Cluster
from tests.chaos.storm import Outcome, Plan, Storm, postgres_storm, seed_of_run, sqlite_storm

FULL = os.environ.get("CHAOS") == "full"
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800 if FULL else 400)]
EVENTS = 100_000 if FULL else 3_000
KILLS = {"collector": 20, "starting collector": 5, "worker": 15} if FULL else {"collector": 2, "worker": 1}
SESSIONS = {"session": 15, "backend": 10} if FULL else {"session": 2, "backend": 1}
PAUSE = 0.0 if FULL else 0.02


def came_through(storm: Storm) -> Outcome:
    outcome = storm.run()
    assert outcome.verdict.is_clean, outcome
    assert len(outcome.ledger.acknowledged) >= EVENTS
    assert outcome.ledger.broken, "no client ever met a fault"
    return outcome


def test_it_has_every_answered_event_once_on_sqlite(tmp_path: Path) -> None:
    came_through(sqlite_storm(tmp_path, Plan(EVENTS, KILLS, pause=PAUSE), seed=seed_of_run()))


def test_it_has_every_answered_event_once_on_postgresql(tmp_path: Path, postgresql: Cluster) -> None:
    plan = Plan(EVENTS, KILLS | SESSIONS, pause=PAUSE)
    outcome = came_through(postgres_storm(tmp_path, postgresql, plan, seed=seed_of_run()))
    assert outcome.ledger.refused, "no client was ever asked to come back"
