"""A collector as a process of its own, with databases of its own. Used by tests, chaos and benchmarks."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.environ import of_its_own
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """An installation below ``folder``; SQLite unless DATABASE_URL is among the changes."""
    own = of_its_own(LODESTAR_VAR_DIR=str(folder), DJANGO_SETTINGS_MODULE="config.settings")
    return own | changes


def python(env: dict[str, str], *arguments: str) -> str:
    """Run Python in the installation and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


PREPARE = """
import django; django.setup()
from django.conf import settings
from django.db import connections
from cdp.profiles import models as profiles
from config.customers.models import Customer
from personalization.server.models import Trigger, TriggerMessage, TriggerRecipient, UserAttributes
from tracking.models import (
    Cursor, Erasure, Event, IdentityEdge, JournaledBatch, PseudonymKey, RefusedRequest, Tombstone
)
with connections["default"].schema_editor() as editor:
    for model in (Customer, UserAttributes, Trigger, TriggerMessage, TriggerRecipient):
        editor.create_model(model)
    for model in (
        profiles.Account, profiles.Feed, profiles.Profile, profiles.ProfileIdentifier, profiles.Interaction,
        profiles.ErasureTicket, profiles.Suppression,
    ):
        editor.create_model(model)
with connections[settings.EVENTS_DB].schema_editor() as editor:
    people = (Erasure, Tombstone, PseudonymKey)
    for model in (Cursor, Event, IdentityEdge, JournaledBatch, RefusedRequest, *people):
        editor.create_model(model)
Customer.objects.create(name="Shop", kind="commerce", customer_id="4711")
"""


def prepare(env: dict[str, str], *, more: str = "") -> None:
    """The tables of a collector and those that hold something of a person, with customer 4711.

    All migrations would take 15 seconds.

    ``more``: statements that follow, for further tables. The row is written past `create_customer`, which
    also fills tables of the engine.
    """
    python(env, "-c", PREPARE + more)


class CollectorProcess:
    """Starts, kills and stops the shipped command."""

    def __init__(self, env: dict[str, str], *, module: str = "tracking.collector") -> None:
        self.env, self.module, self.port = env, module, free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Without waiting until it listens."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, "--port", str(self.port)],
            env=self.env,
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_ready(self, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                    return
            except OSError:
                assert self.process is not None
                assert self.process.poll() is None, "the collector ended by itself"
                time.sleep(0.02)
        raise AssertionError("the collector did not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        if self.process is None or self.process.poll() is not None:
            return -1
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)
