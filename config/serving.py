"""Web server, worker and collector as children of one command."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

STOP_SECONDS = 4.0
LONGEST_BACK_OFF = 30.0
# A child that ran this long had started well; its next restart waits only a second again.
HEALTHY_SECONDS = 60.0
PR_SET_PDEATHSIG = 1

Say = Callable[[str], None]


def is_free(port: int, *, host: str) -> bool:
    """Whether a server could listen on ``port`` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def first_free_port(start: int, *, host: str = "127.0.0.1", taken: Sequence[int] = ()) -> int:
    """The lowest free port from ``start`` on, leaving out ``taken``; raises LookupError."""
    for port in range(start, 65536):
        if port not in taken and is_free(port, host=host):
            return port
    raise LookupError(f"No port from {start} on is free on {host}.")


@dataclass
class Child:
    """A process that belongs to the command. ``vital``: when it ends, everything ends."""

    name: str
    command: Sequence[str]
    vital: bool
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    back_off: float = 0.5
    restart_at: float = 0.0
    reader: threading.Thread | None = None

    def start(self, *, environment: Mapping[str, str], say: Say) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only us; we stop the children in order
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread of ours holds a lock the child needs
        )
        self.reader = threading.Thread(target=relay, args=(self.name, self.process, say), daemon=True)
        self.reader.start()

    def ended(self) -> int | None:
        return self.process.poll() if self.process else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child and whatever it started."""
        if self.process:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


def wait_for_group(pid: int, *, seconds: float = 1.0) -> None:
    """Wait until the kernel has removed what a killed child itself had started."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.killpg(pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.02)


def die_with_parent() -> None:
    """Have the kernel end this process when its parent is killed; Linux only, elsewhere it does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def relay(name: str, process: subprocess.Popen[bytes], say: Say) -> None:
    stream = process.stdout
    if stream is None:
        return
    with stream:
        for line in stream:
            say(f"{name:9} | {line.decode(errors='replace').rstrip()}")


@dataclass
class Supervisor:
    """Keeps children running until told to stop. Use it from the main thread.

    ``stopping`` is set by a signal handler; a lock there could be one that the main thread holds.
    """

    children: list[Child]
    environment: Mapping[str, str]
    say: Say
    stopping: bool = False

    def run(self) -> int:
        """Start all, restart what may be restarted, stop all; returns the exit code."""
        code = 0
        try:
            for child in self.children:
                child.start(environment=self.environment, say=self.say)
            while not self.stopping:
                time.sleep(0.2)
                fallen = self.look_after()
                if fallen is not None:
                    code = 1
                    break
            else:
                self.say(f"Stopping ... what is under way has {STOP_SECONDS:.0f} seconds to finish.")
        finally:
            self.stop()
        return code

    def look_after(self) -> Child | None:
        """Restart ended children; return a vital one that ended."""
        for child in self.children:
            code = child.ended()
            if code is None:
                continue
            if child.vital:
                self.say(f"The {child.name} process ended with code {code}; stopping everything.")
                return child
            self.revive(child, code)
        return None

    def revive(self, child: Child, code: int) -> None:
        now = time.monotonic()
        if not child.restart_at:
            long_enough = now - child.started > HEALTHY_SECONDS
            child.back_off = 1.0 if long_enough else min(child.back_off * 2, LONGEST_BACK_OFF)
            child.restart_at = now + child.back_off
            self.say(
                f"The {child.name} process ended with code {code}; it starts again in {child.back_off:g} s."
            )
        elif now >= child.restart_at:
            child.restart_at = 0.0
            child.start(environment=self.environment, say=self.say)

    def stop(self) -> None:
        """End all children within :data:`STOP_SECONDS`, with force if need be."""
        for child in self.children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and any(
            child.process and child.ended() is None for child in self.children
        ):
            time.sleep(0.05)
        for child in self.children:
            child.signal(signal.SIGKILL)
            if child.process:
                child.process.wait()
                wait_for_group(child.process.pid)
            if child.reader:
                child.reader.join(1.0)
