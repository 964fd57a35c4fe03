"""An export killed at any point shows nothing half done, and a later one works."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.environ import of_its_own
from tests.flows.installation import Installation

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.chaos

SITES = """
personalization:
  system:
    site_en:
      languages: [eng-GB]
      host_uri: {engine}
      included_item_types: [article]
      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}
      api: {{ notifier: {{ endpoint: "{engine}" }} }}
"""

# Ends the process without a word at the n-th call of a function, as kill -9 would.
KILLER = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
name, number = sys.argv[1], int(sys.argv[2])
import django
django.setup()
from pathlib import Path
from django.core.management import call_command
from config.jobs import queue
from personalization.client import gateway
from personalization.client.export import batch, files, run
owners = {"fsync": os, "replace": Path, "notify": gateway, "answered": gateway, "write": files.HashingFile}
owners |= {"refuse_below_floor": files, "sync": batch, "write_manifest": run, "store_chunks": run.write}
owner = owners[name]
attribute = "notify" if name == "answered" else name
real, calls = getattr(owner, attribute), [0]
def wrapped(*args, **options):
    calls[0] += 1
    if calls[0] == number and name == "answered":
        real(*args, **options)
    if calls[0] == number:
        os.kill(os.getpid(), 9)
    return real(*args, **options)
setattr(owner, attribute, wrapped)
call_command("run_export", "--page-size=50", "--quiet")
"""
# What the worker does each hour, for files of any age.
SWEEP = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django
django.setup()
from personalization.client.export import files
files.sweep_temporary(older_than=-1)
"""
# Reference `reliability-security-ecosystem.md` R07: the named point -> where the process dies.
POINTS = {
    "before the first temporary file": ("refuse_below_floor", 1),
    "before a later temporary file": ("refuse_below_floor", 3),
    "in the middle of the first file": ("write", 2),
    "in the middle of the last file": ("write", 11),
    "before the first fsync": ("fsync", 1),
    "between two fsyncs": ("fsync", 2),
    "before the last fsync": ("fsync", 4),
    "before a rename": ("replace", 1),
    "between two renames": ("replace", 3),
    "before the fsync of the folder": ("sync", 1),
    "between the files and their rows": ("store_chunks", 1),
    "before the manifest": ("write_manifest", 1),
    "before the fsync of the manifest": ("fsync", 6),
    "before the notification": ("notify", 1),
    "between the answer and its mark": ("answered", 1),
}


class Engine(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Keep the test output clean."""


@pytest.fixture(scope="module")
def engine() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    server.received = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, engine: ThreadingHTTPServer) -> Path:
    var = tmp_path_factory.mktemp("killed")
    (var / "sites.yaml").write_text(SITES.format(engine=f"http://127.0.0.1:{engine.server_port}"))
    Installation(var_dir=var).migrate()
    with sqlite3.connect(var / "lodestar.sqlite3") as database:
        [(site_id,)] = database.execute("SELECT id FROM wagtailcore_site WHERE is_default_site").fetchall()
        database.executemany(
            "INSERT INTO content_item (site_id, item_type, item_type_id, content_id, remote_id, language,"
            " uri, category_paths, published_at, is_visible, payload, updated_at) VALUES"
            " (?, 'article', 39, ?, ?, 'eng-GB', '/', '[]', '2026-01-02', 1, ?, '2026-01-02')",
            ((site_id, n, f"k{n}", b'{"contentId":%d,"name":"x"}' % n) for n in range(1, 201)),
        )
    database.close()
    return var


def run(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = of_its_own(LODESTAR_VAR_DIR=str(var), LODESTAR_SITES_FILE=str(var / "sites.yaml"))
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def check_what_is_visible(var: Path) -> None:
    """Every file under its final name is whole; every manifest tells the truth."""
    # Not rglob, which fails where a folder goes while it looks.
    seen = [Path(folder) / name for folder, _, names in os.walk(var / "export") for name in names]
    for path in (path for path in seen if path.name.startswith("article_")):
        with gone_meanwhile(path.parent):
            json.loads(path.read_bytes())
    for manifest in (path for path in seen if path.name == "manifest.json"):
        with gone_meanwhile(manifest.parent):
            for entry in json.loads(manifest.read_bytes())["files"]:
                data = (manifest.parent / entry["name"]).read_bytes()
                assert hashlib.sha256(data).hexdigest() == entry["sha256"]


@contextmanager
def gone_meanwhile(folder: Path) -> Iterator[None]:
    """A newer export removes the folder of one that failed, while it may be read."""
    try:
        yield
    except FileNotFoundError:
        time.sleep(0.2)
        assert not folder.exists(), "a file is missing from a folder that is there"


class Reader:
    """Looks at everything that can be seen, each millisecond, and keeps the first fault."""

    def __init__(self, var: Path) -> None:
        self.var, self.looks, self.fault = var, 0, ""
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look_on, daemon=True)

    def look_on(self) -> None:
        while not self.over.wait(0.001):
            try:
                check_what_is_visible(self.var)
            except Exception as error:  # noqa: BLE001 - told by the test, in its own thread
                self.fault = self.fault or repr(error)
            self.looks += 1

    def __enter__(self) -> Reader:
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.over.set()
        self.thread.join()


@pytest.mark.timeout(300)
def test_it_leaves_nothing_half_done_wherever_it_is_killed(
    installation: Path, engine: ThreadingHTTPServer
) -> None:
    with Reader(installation) as reader:
        for point, (name, number) in POINTS.items():
            killed = run(installation, "-c", KILLER, name, str(number))
            assert killed.returncode == -signal.SIGKILL, f"{point}: {killed.stderr}"
            assert reader.fault == "", point

        engine.received.clear()  # type: ignore[attr-defined]
        later = run(installation, "manage.py", "run_export", "--page-size=50", "--json")
    assert reader.fault == ""
    assert reader.looks > 100

    assert later.returncode == 0, later.stderr
    assert json.loads(later.stdout)["exports"][0]["items"] == 200
    [document] = engine.received  # type: ignore[attr-defined]
    assert len(document["events"][0]["uri"]) == 4
    check_what_is_visible(installation)
    run(installation, "-c", SWEEP)
    assert list((installation / "export").rglob(".tmp-*")) == []
