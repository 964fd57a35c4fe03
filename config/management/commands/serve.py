"""Serves the site, the back office, the engine and its background work in one terminal."""

from __future__ import annotations

import gc
import os
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import private, served, site_access
from config.assets import prepare
from config.checks import refuse_unsafe, refuse_without_tables
from config.environment import env_port
from config.files import InUse
from config.serving import Child, Supervisor, first_free_port, is_free

RUNNING = 4


class Command(BaseCommand):
    help = "Run web server and worker together, with --event-port the event collector too, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=port_number, default=env_port("LODESTAR_PORT", 8000))
        parser.add_argument("--event-port", type=port_number, help="run the dedicated event collector there")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--workers", type=int, default=1, help="web processes (1)")
        # Threads of one process share a core: with 8, one recommendation call in ten of 64 concurrent pages
        # took longer than its budget on a busy machine; with 4, none in 300.
        parser.add_argument("--threads", type=int, default=4, help="threads of a web process (4)")
        parser.add_argument("--next-free", action="store_true", help="use the next free port if one is taken")
        parser.add_argument("--access-log", action="store_true", help="print requests, user ids replaced")

    def handle(self, *_args: Any, **options: Any) -> None:
        refuse_unsafe(self.say)
        private.shut(settings.VAR_DIR)
        site_access.configured_sites()  # a broken sites file is said once, here, and not by every child
        port = self.usable_port(options["port"], options, taken=[])
        event_port = options["event_port"]
        if event_port == port:
            raise CommandError(f"--event-port must differ from --port; both are {port}.", returncode=2)
        if event_port:
            event_port = self.usable_port(event_port, options, taken=[port])
        refuse_without_tables()
        prepare(self.say)
        running = announced(port=port, event_port=event_port)
        supervisor = Supervisor(
            children=list(children(port=port, event_port=event_port, options=options)),
            environment=environment(port=port, event_port=event_port),
            say=self.say,
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: setattr(supervisor, "stopping", True))
        events = f", events at http://{shown(options['host'])}:{event_port}/" if event_port else ""
        self.say(f"Serving at http://{shown(options['host'])}:{port}/{events}. Stop with Ctrl-C.")
        try:
            code = supervisor.run()
        finally:
            served.withdraw(running)
        if "duckdb" not in sys.modules:  # which would report as leaked what is never collected
            gc.freeze()  # the collector of garbage would walk through all of Django once more
        sys.exit(code)

    def usable_port(self, port: int, options: dict[str, Any], *, taken: list[int]) -> int:
        if is_free(port, host=options["host"]):
            return port
        free = first_free_port(port + 1, host=options["host"], taken=taken)
        if not options["next_free"]:
            raise CommandError(
                f"Port {port} on {options['host']} is taken. The next free one is {free}: "
                f"use it with --port {free}, or let --next-free choose.",
                returncode=2,
            )
        self.say(f"Port {port} is taken, using {free}.")
        return free

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def announced(*, port: int, event_port: int | None) -> IO[str]:
    try:
        return served.announce(settings.VAR_DIR, port=port, event_port=event_port or 0)
    except InUse:
        raise CommandError(
            f"Another server of {settings.VAR_DIR} has port {port} on another address. Choose another.",
            returncode=RUNNING,
        ) from None


def children(*, port: int, event_port: int | None, options: dict[str, Any]) -> list[Child]:
    found = [
        Child("web", gunicorn(port=port, options=options), vital=True),
        Child("worker", [sys.executable, "-u", manage_py(), "work"], vital=False),
    ]
    if event_port:
        collector = [sys.executable, "-u", "-m", "tracking.collector", "--host", options["host"]]
        found.append(Child("collector", [*collector, "--port", str(event_port)], vital=False))
    return found


def gunicorn(*, port: int, options: dict[str, Any]) -> list[str]:
    """gthread keeps the raw path; one process is right for SQLite, which has one writer anyway."""
    command = [sys.executable, "-u", "-m", "gunicorn", "config.wsgi:application"]
    command += ["--bind", f"{shown(options['host'])}:{port}", "--worker-class", "gthread"]
    command += ["--workers", str(options["workers"]), "--threads", str(options["threads"])]
    command += ["--limit-request-line", "8190", "--graceful-timeout", "3", "--log-level", "warning"]
    command += ["--keep-alive", "5", "--logger-class", "config.access_log.AccessLog"]
    command += ["--no-control-socket", "--config", "python:config.web"]
    return [*command, "--access-logfile", "-"] if options["access_log"] else command


def environment(*, port: int, event_port: int | None) -> dict[str, str]:
    """Own addresses follow the served port in every child."""
    # Apps of a project may be found by a PYTHONPATH of its own.
    places = [str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    result = os.environ | {"LODESTAR_PORT": str(port), "PYTHONPATH": os.pathsep.join(places)}
    result["LODESTAR_EVENT_PORT"] = str(event_port or 0)  # "" would mean: that of the server before
    return result


def manage_py() -> str:
    return str(settings.BASE_DIR / "manage.py")


def shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def port_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise ArgumentTypeError(f"a port is a whole number from 1 to 65535; got {text[:80]!r}.")
    return int(text)
