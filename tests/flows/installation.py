"""Real installations for tests: own state folder, own processes, own port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.environ import of_its_own
from tests.ports import free_port
from tests.prepared import prepared

ROOT = Path(__file__).resolve().parents[2]
# Limits are generous: the machine may be busy with something else.
BUILD_SECONDS = 420
START_SECONDS = 90


@dataclass(kw_only=True)
class Installation:
    """One state folder and the commands run on it."""

    var_dir: Path
    port: int = field(default_factory=free_port)
    extra_env: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def env(self) -> dict[str, str]:
        own = of_its_own(LODESTAR_VAR_DIR=str(self.var_dir), LODESTAR_PORT=str(self.port))
        return own | self.extra_env

    def manage(self, *args: str, timeout: float = BUILD_SECONDS, check: bool = True) -> str:
        """Run a command and return what it printed."""
        done = self.attempt("manage.py", *args, timeout=timeout)
        output = done.stdout + done.stderr
        assert not check or done.returncode == 0, f"{args} ended with {done.returncode}:\n{output}"
        return output

    def migrate(self) -> None:
        """Make the tables; with SQLite from files that were migrated once, and only what is missing there."""
        if "DATABASE_URL" not in self.extra_env:
            self.var_dir.mkdir(parents=True, exist_ok=True)
            for file in prepared("migrated", migrated).glob("*.sqlite3"):
                shutil.copy(file, self.var_dir)
        if self.extra_env.keys() & {"DATABASE_URL", "LODESTAR_APPS"}:
            self.manage("migrate", "--verbosity=0")

    def python(self, code: str) -> str:
        """Run statements with Django set up and return what they printed."""
        done = self.attempt("-c", f"import django; django.setup()\n{code}")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def attempt(self, *args: str, timeout: float = BUILD_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run Python on this installation, however it ends."""
        return subprocess.run(
            [sys.executable, *args],
            cwd=ROOT,
            env={"DJANGO_SETTINGS_MODULE": "config.settings"} | self.env(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @contextmanager
    def serving(self, *args: str) -> Iterator[Installation]:
        """Run ``manage.py serve`` while the block runs; all its processes are stopped afterwards."""
        log = self.var_dir / "serve.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port), *args],
                cwd=ROOT,
                env=self.env(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                self.wait_until_up(process, log)
                yield self
            finally:
                stop(process)

    def wait_until_up(self, process: subprocess.Popen[bytes], log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert process.poll() is None, f"serve ended early:\n{log.read_text()}"
            try:
                if requests.get(self.base + "/", timeout=20).status_code < 500:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise AssertionError(f"serve did not answer within {START_SECONDS} s:\n{log.read_text()}")


def migrated(folder: Path) -> None:
    Installation(var_dir=folder).manage("migrate", "--verbosity=0")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def eventually(check: object, *, seconds: float = 30, what: str = "the condition") -> object:
    """Call ``check`` until it returns something true; fail with ``what`` after ``seconds``."""
    assert callable(check)
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        time.sleep(0.05)
