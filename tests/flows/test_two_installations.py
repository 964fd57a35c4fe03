"""Connector and engine as two installations: two ports, two databases, two state folders.

Only the sites file of the first names the second; nothing else differs from one installation alone.
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIENT_PORT, ENGINE_PORT = 9510, 9511
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

SITES = """
personalization:
  system:
    site_en:
      languages: [eng-GB]
      host_uri: http://127.0.0.1:{client}
      included_item_types: [article]
      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}
      api:
        admin: {{ endpoint: "http://127.0.0.1:{engine}" }}
        notifier: {{ endpoint: "http://127.0.0.1:{engine}" }}
        recommendation: {{ endpoint: "http://127.0.0.1:{engine}" }}
        event_tracking: {{ endpoint: "http://127.0.0.1:{engine}" }}
"""

# What the read model does when an editor publishes, without Wagtail's pages.
PUBLISH = """
import django
django.setup()
from content.models import Item
from content.signals import ItemRef, item_changed, item_removed
row = Item.objects.get(content_id={number})
row.payload = row.payload.replace(b"Old name", b"New name")
row.is_visible = {visible}
row.save()
ref = ItemRef(site_id=row.site_id, item_type="article", item_type_id=39, content_id={number},
              remote_id=row.remote_id, language="eng-GB")
(item_changed if {visible} else item_removed).send(sender=None, refs=[ref])
"""


@dataclass(frozen=True)
class Installation:
    var: Path
    port: int

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.endswith(("_URL", "_INLINE"))}
        return kept | {
            "LODESTAR_VAR_DIR": str(self.var),
            "LODESTAR_SITES_FILE": str(self.var / "sites.yaml"),
            "LODESTAR_PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def serve(self) -> subprocess.Popen[bytes]:
        server = [sys.executable, "-m", "gunicorn", "config.wsgi", "--threads=4", "--log-level=error"]
        process = subprocess.Popen(
            [*server, f"--bind=127.0.0.1:{self.port}"], cwd=ROOT, env=self.environment()
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return process
            time.sleep(0.1)
        process.kill()
        raise AssertionError(f"nothing answers on port {self.port}")

    def get(self, path: str) -> tuple[int, str]:
        login = base64.b64encode(b"501:1111-aaaa").decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Basic {login}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.fixture
def installations(tmp_path: Path) -> Iterator[tuple[Installation, Installation]]:
    client = Installation(tmp_path / "client", CLIENT_PORT)
    engine = Installation(tmp_path / "engine", ENGINE_PORT)
    client.var.mkdir()
    sites = SITES.format(client=CLIENT_PORT, engine=ENGINE_PORT)
    (client.var / "sites.yaml").write_text(sites)
    client.run("manage.py", "migrate", "--verbosity=0")
    if (client.var / "lodestar.sqlite3").exists():
        client.run("manage.py", "migrate", "--verbosity=0", "--database=events")
    shutil.copytree(client.var, engine.var)
    fill(client.var / "lodestar.sqlite3")
    servers = [client.serve(), engine.serve()]
    yield client, engine
    for server in servers:
        server.terminate()
    for server in servers:
        server.wait()


def fill(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        [(site_id,)] = database.execute("SELECT id FROM wagtailcore_site WHERE is_default_site").fetchall()
        database.executemany(
            "INSERT INTO content_item (site_id, item_type, item_type_id, content_id, remote_id, language,"
            " uri, category_paths, published_at, is_visible, payload, updated_at) VALUES"
            " (?, 'article', 39, ?, ?, 'eng-GB', ?, '[]', '2026-01-02', 1, ?, '2026-01-02')",
            (
                (
                    site_id,
                    number,
                    f"key-{number}",
                    f"/a/{number}/",
                    b'{"_media-type":"application/vnd.ibexa.api.Content+json","contentId":%d,"contentTypeId":39,'
                    b'"identifier":"article","language":"eng-GB","publishedDate":"2026-01-02T03:04:05+00:00",'
                    b'"author":"Ana","uri":"/a/%d/","categoryPath":"/1/2/","name":"Old name %d"}'
                    % (number, number, number),
                )
                for number in range(1, 31)
            ),
        )
        database.commit()


def test_it_exports_updates_and_removes_across_two_installations(
    installations: tuple[Installation, Installation],
) -> None:
    client, engine = installations

    report = client.run("manage.py", "run_export", "--page-size=10")
    assert "the engine answered 202" in report
    engine.run("manage.py", "work", "--once")
    status, body = engine.get("/api/501/item/39/30")
    assert status == 200
    assert "Old name 30" in body

    client.run("-c", PUBLISH.format(number=7, visible=True))
    client.run("-c", PUBLISH.format(number=8, visible=False))
    client.run("manage.py", "work", "--once")
    engine.run("manage.py", "work", "--once")

    assert "New name 7" in engine.get("/api/501/item/39/7")[1]
    assert engine.get("/api/501/item/39/8")[0] == 404
    assert engine.get("/api/501/item/39/9")[0] == 200
