"""Clients send while collector, worker and sessions of the database are killed, at moments drawn from a seed.

The same seed gives the same requests, the same order of kills and the same numbers of answered events between
them; what the machine does in those milliseconds it decides by itself.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.clients import Clients, Ledger
from tests.chaos.cutting_proxy import CuttingProxy, Habits, cutting_proxy
from tests.chaos.postgres import Cluster
from tests.chaos.traffic import prepare_sites
from tests.chaos.verdict import Place, Verdict, judge, wait_until
from tests.tracking.collector_process import ROOT, CollectorProcess, environment, prepare

SHIPPED, SURGING = "tracking.collector", "tests.chaos.surging_collector"
BUSY_WORKER = "tests.chaos.busy_worker"
BAD_LINE = Habits(lose_reply=0.01, cut_request=0.01, dawdle=0.01)
JOB_TABLES = """
from config.jobs.models import Job, Outbox, Periodic
with connections["default"].schema_editor() as editor:
    for model in (Job, Outbox, Periodic):
        editor.create_model(model)
"""


def tell(line: str) -> None:
    """For the report of a failure, and for `pytest -s`."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def seed_of_run() -> str:
    """CHAOS_SEED, or a new one; a failure prints it."""
    return os.environ.get("CHAOS_SEED") or str(random.SystemRandom().randrange(1_000_000))


@dataclass(frozen=True)
class Plan:
    """At least ``events`` acknowledged ones; how often each victim is killed."""

    events: int
    kills: dict[str, int]
    collectors: Sequence[str] = (SHIPPED, SURGING)  # which one starts is drawn
    worker: str = BUSY_WORKER
    worker_is_late: bool = False  # it starts when all events are there
    line: Habits = BAD_LINE
    pause: float = 0.0  # seconds that a client rests between two requests, at most


@dataclass(frozen=True)
class Outcome:
    seed: str
    verdict: Verdict
    ledger: Ledger
    killed: Counter[str]
    cut: Counter[str]
    seconds: float

    def __str__(self) -> str:
        return (
            f"CHAOS_SEED={self.seed}: {len(self.ledger.acknowledged):,} events acknowledged in "
            f"{self.seconds:.0f} s, killed {dict(self.killed)}, line {dict(self.cut)}, "
            f"{self.ledger.refused} times 503, {self.ledger.broken} broken connections, "
            f"{self.verdict}, {self.ledger.wrong[:3]}"
        )


class WorkerProcess:
    """The worker, started without waiting for it."""

    def __init__(self, env: dict[str, str], *, module: str, place: Place) -> None:
        self.env, self.module, self.place = env, module, place
        self.process: subprocess.Popen[bytes] | None = None
        self.before: list[str] = []

    def start(self) -> None:
        self.before = self.place.lake_parts()
        with (self.place.folder / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", self.module]
            self.process = subprocess.Popen(command, env=self.env, cwd=ROOT, stdout=log, stderr=log)

    def wait_until_at_work(self) -> None:
        wait_until(lambda: self.place.lake_parts() != self.before, what="a new part of the lake")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


@dataclass
class Storm:
    env: dict[str, str]
    place: Place
    plan: Plan
    seed: str
    cluster: Cluster | None = None
    killed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed}-kills")
        self.collector = CollectorProcess(self.env)
        self.worker = WorkerProcess(self.env, module=self.plan.worker, place=self.place)
        self.victims: dict[str, Callable[[], None]] = {
            "collector": self.kill_collector,
            "starting collector": self.kill_starting_collector,
            "worker": self.kill_worker,
            "session": self.end_session,
            "backend": self.kill_backend,
        }

    def run(self) -> Outcome:
        """Everything, up to the verdict on what the worker has settled at the end."""
        tell(f"CHAOS_SEED={self.seed}")
        began = time.monotonic()
        self.start_collector()
        if not self.plan.worker_is_late:
            self.worker.start()
        try:
            with cutting_proxy(self.collector.port, self.plan.line, seed=self.seed) as proxy:
                ledger = self.send_and_kill(proxy)
            self.collector.kill()  # what is in its journal is the worker's to move
            if self.plan.worker_is_late:
                self.worker.start()
            wait_until(self.place.is_settled, what="settling tables and lake")
        finally:
            self.collector.kill()
            self.worker.kill()
        seconds = time.monotonic() - began
        outcome = Outcome(self.seed, judge(self.place, ledger), ledger, self.killed, proxy.did, seconds)
        tell(str(outcome))
        return outcome

    def send_and_kill(self, proxy: CuttingProxy) -> Ledger:
        clients = Clients([self.collector.port, proxy.port], seed=self.seed, pause=self.plan.pause, past=True)
        order = list(Counter(self.plan.kills).elements())
        self.chance.shuffle(order)
        gap = self.plan.events // (len(order) + 1)
        try:
            for victim in order:
                clients.wait_for(self.chance.randint(gap // 2, gap * 3 // 2))
                time.sleep(self.chance.random() * 0.05)
                self.victims[victim]()
                self.killed[victim] += 1
            clients.wait_for(max(1, self.plan.events - len(clients.ledger.acknowledged)))
        finally:
            ledger = clients.finish()
        return ledger

    # --- victims ---

    def start_collector(self) -> None:
        self.collector.module = self.chance.choice(self.plan.collectors)
        self.collector.start()

    def kill_collector(self) -> None:
        self.collector.kill()
        self.start_collector()

    def kill_starting_collector(self) -> None:
        """The second one may be about to move what the first has left."""
        self.collector.kill()
        self.collector.launch()
        time.sleep(self.chance.uniform(0.5, 2.0))
        self.kill_collector()

    def kill_worker(self) -> None:
        self.worker.wait_until_at_work()
        time.sleep(self.chance.random() * 0.2)
        self.worker.kill()
        self.worker.start()

    def end_session(self) -> None:
        assert self.cluster is not None
        self.cluster.end_a_session(self.chance)

    def kill_backend(self) -> None:
        """The server takes all its sessions down after that and recovers by itself."""
        assert self.cluster is not None
        self.cluster.kill_a_backend(self.chance)


def sqlite_storm(folder: Path, plan: Plan, *, seed: str) -> Storm:
    """A new installation on files; only the kills of collector and worker are for it."""
    env = environment(folder, **prepare_sites(folder))
    prepare(env, more=JOB_TABLES)
    return Storm(env, Place(folder), plan, seed)


def postgres_storm(folder: Path, cluster: Cluster, plan: Plan, *, seed: str) -> Storm:
    """A new installation with a database of its own on a server whose sessions may be killed."""
    url = cluster.new_database()
    env = environment(folder, DATABASE_URL=url, **prepare_sites(folder))
    prepare(env, more=JOB_TABLES)
    return Storm(env, Place(folder, url), plan, seed, cluster)
