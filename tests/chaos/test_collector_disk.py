"""The collector on a disk that is full ..."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.verdict import EVENTS, Place
from tests.tracking.collector_process import CollectorProcess, environment, prepare

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
MODULES = ["tracking.collector", "tests.chaos.surging_collector"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all space that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        while left := shutil.disk_usage(folder).free:
            file.write(bytes(min(left, 65_536)))
            file.flush()
    return ballast


def send(port: int, event_id: str) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        path = f"/api/4711/click/user/1/2?categorypath={'C' * 900}&eventid={event_id}"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return int(answer.split()[1]), answer


@pytest.mark.parametrize("module", MODULES)
def test_says_503_while_there_is_no_space_and_heals(small_disk: Path, module: str):
    env = environment(small_disk)
    prepare(env)
    collector = CollectorProcess(env, module=module)
    collector.start()
    assert send(collector.port, "before")[0] == 204
    ballast = fill(small_disk)
    answered = {f"full-{n}" for n in range(2_000) if send(collector.port, f"full-{n}")[0] == 204}
    status, answer = send(collector.port, "refused")
    assert status == 503
    assert b"Retry-After: 1" in answer
    assert b"the event database does not answer; send the event again" in answer
    ballast.unlink()
    deadline = time.monotonic() + 30
    while send(collector.port, "after")[0] != 204:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert collector.stop() == 0
    stored = [row[1] for row in Place(small_disk).rows(EVENTS)]
    assert answered | {"before", "after"} <= set(stored)
    assert len(stored) == len(set(stored))
