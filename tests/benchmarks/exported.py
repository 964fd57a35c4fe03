"""An installation with items of about 1 KB, its export, and an engine that takes the news."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.environ import of_its_own

ROOT = Path(__file__).resolve().parents[2]
PORT = 9590

ENGINE = f"""
from http.server import BaseHTTPRequestHandler, HTTPServer
class Engine(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *args): pass
server = HTTPServer(("127.0.0.1", {PORT}), Engine)
print("ready", flush=True)
server.serve_forever()
"""

SITES = f"""
personalization:
  system:
    site_en:
      languages: [eng-GB]
      host_uri: http://127.0.0.1:{PORT}
      included_item_types: [article]
      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}
      api: {{ notifier: {{ endpoint: "http://127.0.0.1:{PORT}" }} }}
"""


SITE_ID = "SELECT id FROM wagtailcore_site WHERE is_default_site"
COLUMNS = (
    "site_id",
    "item_type",
    "item_type_id",
    "content_id",
    "remote_id",
    "language",
    "uri",
    "category_paths",
    "published_at",
    "is_visible",
    "payload",
    "updated_at",
)


def environment(var: Path, **more: str) -> dict[str, str]:
    return of_its_own(LODESTAR_VAR_DIR=str(var), LODESTAR_SITES_FILE=str(var / "sites.yaml"), **more)


def migrate(var: Path, env: dict[str, str]) -> None:
    (var / "sites.yaml").write_text(SITES)
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=env, check=True)


def prepare(var: Path, *, items: int) -> None:
    """Make the database and fill it with items of about 1 KB."""
    migrate(var, environment(var))
    database = sqlite3.connect(var / "lodestar.sqlite3")
    [(site_id,)] = database.execute(SITE_ID).fetchall()
    marks = ",".join("?" * len(COLUMNS))
    database.executemany(
        f"INSERT INTO content_item ({','.join(COLUMNS)}) VALUES ({marks})", rows(site_id, items=items)
    )
    database.commit()
    database.close()


def rows(site_id: int, *, items: int) -> Iterator[tuple[Any, ...]]:
    """Values of :data:`COLUMNS`."""
    day = "2026-01-02T00:00:00Z"
    for number in range(1, items + 1):
        key, uri = f"key-{number}", f"/a/{number}/"
        yield site_id, "article", 39, number, key, "eng-GB", uri, "[]", day, True, payload(number), day


def payload(number: int) -> bytes:
    item = {
        "_media-type": "application/vnd.ibexa.api.Content+json",
        "contentId": number,
        "contentTypeId": 39,
        "identifier": "article",
        "language": "eng-GB",
        "publishedDate": "2026-01-02T03:04:05+00:00",
        "author": "Ana Author",
        "uri": f"/articles/{number}/",
        "categoryPath": f"/1/2/{number % 50}/{number}/",
        "name": f"Article number {number}",
        "body": f"<p>{'A sentence of ordinary length. ' * 20}</p>",
        "tags": ["one", "two", f"tag-{number % 100}"],
    }
    text = json.dumps(item, separators=(",", ":"))
    return text.replace('"name":', f'"fill":"{"x" * (1000 - len(text))}","name":', 1).encode()


@contextmanager
def engine() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", ENGINE], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()


def command(env: dict[str, str], *options: str) -> tuple[dict[str, Any], float]:
    """Run the command; return its summary and the peak memory of its process in MB."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_export", "--json", *options],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"run_export ended with {process.returncode}")
    summary: dict[str, Any] = json.loads(output)["exports"][0]
    return summary, usage.ru_maxrss / 1024
