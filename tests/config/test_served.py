"""Which servers run on a state folder, as commands in other terminals see it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import served
from tests.config.test_serve import ROOT

HOLD = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from config import served
lock = served.announce(Path(sys.argv[1]), port=int(sys.argv[2]), event_port=0)
print("held", flush=True)
sys.stdin.read()
"""


def server(var_dir: Path, port: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(var_dir), str(port)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_it_names_the_server_that_runs_and_believes_no_killed_one(tmp_path: Path) -> None:
    first, second = server(tmp_path, 9000), server(tmp_path, 9001)
    try:
        assert [one.port for one in served.running(tmp_path)] == [9000, 9001]
        assert served.ports(tmp_path) == served.Served(9000, 0, first.pid)
        end(second)
        assert [one.port for one in served.running(tmp_path)] == [9000]
        assert served.ports(tmp_path) == served.Served(9000, 0, first.pid)
    finally:
        end(first)
        end(second)
    assert served.running(tmp_path) == []


def test_it_names_the_second_server_once_the_first_is_gone(tmp_path: Path) -> None:
    first, second = server(tmp_path, 9000), server(tmp_path, 9001)
    try:
        end(first)
        assert served.ports(tmp_path) == served.Served(9001, 0, second.pid)
    finally:
        end(second)


def test_it_remembers_the_last_ports_after_the_end(tmp_path: Path) -> None:
    assert served.ports(tmp_path) is None
    served.withdraw(served.announce(tmp_path, port=9000, event_port=9001))

    last = served.ports(tmp_path)

    assert last is not None
    assert (last.port, last.event_port) == (9000, 9001)
    assert served.running(tmp_path) == []
    assert list(tmp_path.glob("serving-*")) == []


@pytest.mark.parametrize(
    "text",
    ['{"port": "many"', "[]", '{"port": true}', '{"port": 70000}', '{"port": 80, "event_port": -1}', ""],
)
def test_it_ignores_a_file_that_makes_no_sense(text: str, tmp_path: Path) -> None:
    (tmp_path / served.LAST).write_text(text)
    assert served.ports(tmp_path) is None


def test_it_believes_no_dead_server_however_many_look(tmp_path: Path) -> None:
    dead = server(tmp_path, 9000)
    end(dead)
    with ThreadPoolExecutor(8) as pool:
        looks = list(pool.map(lambda _: served.running(tmp_path), range(400)))

    assert looks == [[]] * 400
