"""One command for web server, worker and collector."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config.serving import Child, Supervisor
from tests.environ import of_its_own
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


def status_of(port: int, path: str) -> int | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return None


# Served all the same: a database may come back. One without tables is refused.
AWAY = "postgres://nobody@127.0.0.1:1/x"


def test_it_serves_and_leaves_no_process_behind(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)]
    environment = of_its_own(DATABASE_URL=AWAY, LODESTAR_VAR_DIR=str(tmp_path), LODESTAR_MARK=str(port))
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        while status_of(port, "/" + "x" * 8100) is None and time.monotonic() < deadline:
            time.sleep(0.2)
        assert status_of(port, "/" + "x" * 8100) == 414
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=30)[0].decode()
        assert time.monotonic() - started < 8
        assert process.returncode == 0, output
        assert f"Serving at http://127.0.0.1:{port}/" in output
        assert "\nStopping ... what is under way has 4 seconds to finish." in output
        assert marked(str(port)) == []
    finally:
        process.kill()
        process.wait()


def marked(mark: str) -> list[str]:
    """Processes that still carry the test's environment mark."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if f"LODESTAR_MARK={mark}\0".encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return [pid for pid in found if pid != str(os.getpid())]


def test_it_names_a_taken_port_and_the_next_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port} on 127.0.0.1 is taken. The next free one is"):
            call_command("serve", port=port)


def test_it_refuses_one_port_for_two_servers() -> None:
    port = free_port()
    with pytest.raises(CommandError, match="must differ"):
        call_command("serve", port=port, event_port=port)


def test_it_restarts_a_helper_and_stops_when_the_web_server_ends() -> None:
    lines: list[str] = []
    script = "import time; print('up', flush=True); time.sleep({})"
    supervisor = Supervisor(
        children=[
            Child("web", [sys.executable, "-c", script.format(3)], vital=True),
            Child("worker", [sys.executable, "-c", script.format(0.1)], vital=False),
        ],
        environment=dict(os.environ),
        say=lines.append,
    )
    assert supervisor.run() == 1
    assert lines.count("worker    | up") >= 2
    assert any("The worker process ended with code 0; it starts again in 1 s." in line for line in lines)
    assert any("The web process ended with code 0; stopping everything." in line for line in lines)
