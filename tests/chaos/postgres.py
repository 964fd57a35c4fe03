"""A PostgreSQL server of a test's own, to be killed and started again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.flows.installation import free_port

USER = "postgres"


def binaries() -> Path:
    """Where Debian's newest server is; skips the test where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    if not found:
        pytest.skip("the programs of a PostgreSQL server are not installed (postgresql)")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL refuses to run as root, and there is no runuser to become another user")
    return found[-1].parent


@dataclass
class Cluster:
    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgres://{USER}@127.0.0.1:{self.port}/postgres"

    def new_database(self) -> str:
        """Its address."""
        name = f"chaos_{uuid.uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url.rpartition("/")[0] + f"/{name}"

    def run(self, program: str, *args: str) -> subprocess.CompletedProcess[str]:
        become = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
        with (self.folder / "output").open("a") as output:  # a pipe would stay open in the server
            return subprocess.run(
                [*become, str(self.programs / program), *args],
                cwd=self.folder,
                stdout=output,
                stderr=output,
                text=True,
                timeout=120,
                check=False,
            )

    def create(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        arguments = ("-D", str(self.folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8")
        assert self.run("initdb", *arguments, "--locale=C").returncode == 0, self.said()

    def start(self, *, seconds: float = 60) -> None:
        """Start the server; after a kill its last processes may hold the memory for a while."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        deadline = time.monotonic() + seconds
        while self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-o", options, "start").returncode:
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.2)

    def said(self) -> str:
        return (self.folder / "output").read_text()[-4000:]

    def restart(self) -> None:
        """End every session at once and start again, as an upgrade of the server does."""
        self.stop()
        self.start()

    def stop(self, *, mode: str = "fast") -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def postmaster(self) -> int:
        return int((self.folder / "data/postmaster.pid").read_text().split()[0])

    def kill_postmaster(self) -> None:
        os.kill(self.postmaster(), signal.SIGKILL)

    def kill_a_backend(self, chance: random.Random | None = None) -> None:
        """The server takes all its sessions down after that and recovers by itself."""
        with self.session(chance) as (_connection, pid):
            if pid:
                os.kill(pid, signal.SIGKILL)

    def end_a_session(self, chance: random.Random | None = None) -> None:
        """As an administrator does; the others go on."""
        with self.session(chance) as (connection, pid):
            if pid:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])

    @contextmanager
    def session(self, chance: random.Random | None) -> Iterator[tuple[psycopg.Connection, int | None]]:
        """A connection of ours, and the process of somebody else's, drawn or the first."""
        sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> %s"
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = sorted(row[0] for row in connection.execute(sql, [connection.info.backend_pid]))
            yield connection, (chance.choice(found) if chance else found[0]) if found else None


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A new server on a free port, gone after the block."""
    programs = binaries()
    folder = Path(tempfile.mkdtemp(prefix="lodestar-postgres-"))
    made = Cluster(programs, folder, free_port())
    try:
        made.create()
        made.start()
        yield made
    finally:
        made.stop(mode="immediate")
        shutil.rmtree(folder, ignore_errors=True)
