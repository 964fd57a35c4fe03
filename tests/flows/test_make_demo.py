"""`manage.py demo` as a newcomer meets it ..."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from config.files import hold
from tests.conftest import CopyOfDemo
from tests.flows.installation import ROOT, Installation, eventually
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # the first test builds a demo


@contextmanager
def demo_running(installation: Installation, *, port: int) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = installation.var_dir / f"demo-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "demo", "--port", str(port)],
            cwd=ROOT,
            env=installation.env(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process, log
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def children_of(pid: int) -> set[int]:
    """Every process below ``pid``."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | children_of(child)
    return found


def answers(base: str) -> bool:
    try:
        return requests.get(base, timeout=20).status_code == 200
    except requests.RequestException:
        return False


def test_it_keeps_the_data_names_a_taken_port_and_stops_everything(demo_build: Installation) -> None:
    key = (demo_build.var_dir / "secret_key").read_bytes()
    ready_since = (demo_build.var_dir / "demo").read_text()
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen(1)
        wanted = taken.getsockname()[1]
        with demo_running(demo_build, port=wanted) as (process, log):
            said = eventually(
                lambda: re.search(r"Port (\d+) is taken, using (\d+)", log.read_text()),
                seconds=90,
                what="the next free port",
            )
            assert isinstance(said, re.Match)
            assert int(said[1]) == wanted
            assert int(said[2]) > wanted
            eventually(lambda: answers(f"http://127.0.0.1:{said[2]}/"), seconds=90, what="the site")
            text = log.read_text()
            assert "its data are kept" in text
            assert f"http://localhost:{said[2]}/admin/" in text
            reset = demo_build.attempt("manage.py", "demo", "--reset", "--no-serve")
            assert reset.returncode == 4
            assert f"The demo is being served at http://localhost:{said[2]}/" in reset.stderr
            below = children_of(process.pid)
            assert len(below) >= 2

            process.send_signal(signal.SIGINT)
            started = time.monotonic()
            process.wait(timeout=60)
            assert time.monotonic() - started < 15  # 5 s, and what a busy machine adds
            eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), what="no orphan")
    assert (demo_build.var_dir / "secret_key").read_bytes() == key
    assert (demo_build.var_dir / "demo").read_text() == ready_since


def test_it_leaves_an_installation_that_is_not_the_demo_untouched(tmp_path: Path) -> None:
    own = Installation(var_dir=tmp_path)
    database = tmp_path / "lodestar.sqlite3"
    own.manage("shell", "-v0", "-c", "import sqlite3; " + foreign_table(database))
    for option in ([], ["--reset"]):
        said = own.manage("demo", "--no-serve", *option, check=False)
        assert "is not the demo; it was left untouched" in said

    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("orders",)]


def foreign_table(database: Path) -> str:
    return f"c = sqlite3.connect({str(database)!r}); c.execute('CREATE TABLE orders (id)'); c.commit()"


def test_it_leaves_a_demo_alone_that_is_being_set_up(copy_of_demo: CopyOfDemo) -> None:
    demo = copy_of_demo()
    (demo.var_dir / "demo").write_text("building\n")
    with hold(demo.var_dir / "demo.lock"):
        done = demo.attempt("manage.py", "demo", "--no-serve")

    assert done.returncode == 4
    assert f"Another `demo` is being set up in {demo.var_dir}" in done.stderr
    assert (demo.var_dir / "demo").read_text() == "building\n"


@pytest.mark.parametrize("name", ["lodestar.sqlite3", "events.sqlite3"])
def test_it_does_not_start_over_under_a_worker_or_collector(name: str, copy_of_demo: CopyOfDemo) -> None:
    demo = copy_of_demo()
    with closing(sqlite3.connect(demo.var_dir / name)) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        done = demo.attempt("manage.py", "demo", "--reset", "--no-serve")
        assert done.returncode == 4
        assert f"such as a worker or a collector, uses {demo.var_dir / name}" in done.stderr
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == tables
        assert (demo.var_dir / name).exists()


def test_its_export_says_that_nobody_fetches_the_files_yet(copy_of_demo: CopyOfDemo) -> None:
    done = copy_of_demo().attempt("manage.py", "run_export", "--json")

    assert done.stderr.count("No server runs on this state folder") == 2
    outcomes = json.loads(done.stdout)["exports"]
    assert ["No server runs" in outcome["warnings"][-1] for outcome in outcomes] == [True, True]
    assert [outcome["engine_status"] for outcome in outcomes] == [202, 202]


def test_its_export_does_not_end_with_an_answer_that_is_not_all(copy_of_demo: CopyOfDemo) -> None:
    done = copy_of_demo().attempt("manage.py", "run_export")

    assert "items/s)." in done.stdout
    assert "answered" not in done.stdout
    assert "fetches them once `manage.py serve` runs" in done.stderr
