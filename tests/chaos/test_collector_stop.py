"""The collector, asked to stop under load, ..."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.clients import Clients
from tests.chaos.verdict import EVENTS, Place
from tests.tracking.collector_process import CollectorProcess, environment, prepare

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def test_answers_what_it_accepted_before_it_stops(tmp_path: Path) -> None:
    env = environment(tmp_path)
    prepare(env)
    collector = CollectorProcess(env)
    collector.start()
    clients = Clients([collector.port], seed="stop")
    clients.wait_for(300)
    assert collector.stop() == 0
    ledger = clients.give_up()
    stored = [row[1] for row in Place(tmp_path).rows(EVENTS)]
    assert ledger.acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
