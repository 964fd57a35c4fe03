"""The harness proves itself: of a product that lacks one guard, ...

Each test takes one guard out, and the verdict must name what that guard keeps from happening.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.cutting_proxy import Habits
from tests.chaos.postgres import Cluster
from tests.chaos.storm import SHIPPED, Plan, Storm, postgres_storm, seed_of_run, sqlite_storm
from tests.chaos.verdict import Verdict

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]
UNGUARDED = "tests.chaos.unguarded_collector"
CALM_LINE = Habits()
KILLS = {"collector": 2}


def plan(kills: dict[str, int], *, line: Habits = CALM_LINE, worker_is_late: bool = False) -> Plan:
    return Plan(1_200, kills, [UNGUARDED], line=line, worker_is_late=worker_is_late, pause=0.02)


def verdict(storm: Storm, *, without: str = "") -> Verdict:
    storm.env["CHAOS_WITHOUT"] = without
    return storm.run().verdict


def test_it_finds_events_lost_that_were_answered_before_their_commit(tmp_path: Path) -> None:
    storm = sqlite_storm(tmp_path, plan(KILLS), seed=seed_of_run())
    assert verdict(storm, without="answer_before_commit").lost


def test_it_finds_events_lost_that_were_answered_before_they_were_on_disk(
    tmp_path: Path, postgresql: Cluster
) -> None:
    storm = postgres_storm(
        tmp_path, postgresql, plan({"backend": 4}, worker_is_late=True), seed=seed_of_run()
    )
    assert verdict(storm, without="answer_before_the_disk").lost


def test_it_finds_repeated_events_doubled_that_no_index_keeps_apart(tmp_path: Path) -> None:
    storm = sqlite_storm(tmp_path, plan({}, line=Habits(lose_reply=0.05)), seed=seed_of_run())
    with closing(sqlite3.connect(tmp_path / "events.sqlite3")) as database:
        database.execute("DROP INDEX event_once")
    assert verdict(storm, without="store_repeated_ids").doubled


def test_it_finds_events_doubled_whose_cursor_is_committed_apart(tmp_path: Path) -> None:
    storm = sqlite_storm(tmp_path, plan(KILLS), seed=seed_of_run())
    assert verdict(storm, without="move_cursor_later").doubled


def test_it_finds_events_doubled_that_leave_the_journal_later(tmp_path: Path, postgresql: Cluster) -> None:
    storm = postgres_storm(tmp_path, postgresql, plan(KILLS), seed=seed_of_run())
    assert verdict(storm, without="delete_later").doubled


def test_it_finds_rows_of_the_lake_doubled_whose_cursor_came_late(tmp_path: Path) -> None:
    careless = Plan(
        1_200, {"worker": 1}, [SHIPPED], "tests.chaos.unguarded_worker", line=CALM_LINE, pause=0.02
    )
    storm = sqlite_storm(tmp_path, careless, seed=seed_of_run())
    found = verdict(storm)
    assert found.lake_doubled
    assert not found.doubled
