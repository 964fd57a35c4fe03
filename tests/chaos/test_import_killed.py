"""An import that was stopped in the middle is finished by the same command, and nothing is stored twice."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.flows.installation import ROOT, Installation, eventually

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

ROWS = 400_000
BATCH = 20_000
FORM = ("--customer", "20001", "--map", "user=who,item=what,ts=at")


@pytest.fixture
def shop(tmp_path: Path) -> Installation:
    installation = Installation(var_dir=tmp_path / "var")
    installation.migrate()
    installation.manage("create_customer", "--name", "Shop", "--type", "commerce", "--id", "20001")
    lines = (f"{n % 999},{n % 50 + 1},{1_700_000_000 + n}\n" for n in range(ROWS))
    (tmp_path / "history.csv").write_text("who,what,at\n" + "".join(lines))
    return installation


def stored(shop: Installation) -> int:
    paths = [path for path in shop.var_dir.glob("*.sqlite3") if has_events(path)]
    with closing(sqlite3.connect(paths[0])) as database:
        return int(database.execute("SELECT count(*) FROM tracking_event").fetchone()[0])


def has_events(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'tracking_event'")
        return found.fetchone() is not None


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_it_goes_on_where_it_was_stopped(shop: Installation, tmp_path: Path, sent: signal.Signals) -> None:
    command = ["import_events", str(tmp_path / "history.csv"), *FORM]
    process = subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=shop.env(),
        stderr=subprocess.PIPE,
        text=True,
        # Checks that run in the background may ignore Ctrl+C, and what they start inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    eventually(lambda: stored(shop) or process.poll() is not None, seconds=200, what="a first batch")
    process.send_signal(sent)
    _, said = process.communicate(timeout=100)
    before = stored(shop)
    assert 0 < before < ROWS
    if sent is signal.SIGINT:
        assert process.returncode == 1
        told = re.search(r"at least ([0-9,]+) events were stored", said)
        assert told
        assert int(told[1].replace(",", "")) in (before, before - BATCH)
        assert "The same command again goes on" in said
    summary = json.loads(shop.manage(*command, "--json"))
    assert (summary["duplicates"], summary["stored"]) == (before, ROWS - before)
    assert stored(shop) == ROWS
    assert not list(tmp_path.glob(".tmp*"))
