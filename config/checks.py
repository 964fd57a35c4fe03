"""What is wrong or unsafe with an installation, in words, with the remedy. Reference A2-P10, R14.

`manage.py doctor` shows all of it; `manage.py check --deploy` includes it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from config import assets, private, site_access
from config.routers import EVENT_APPS
from config.site_access.schema import Kept
from config.site_access.show import old_names

DEMO_KEYS = {"1111-2222-3333-4444-5555", "5555-4444-3333-2222-1111"}
UNEXAMINED = "could not be examined: "
WORKER_SECONDS = 60
CLOCK_SECONDS = 60
SHORTEST_KEY, FEWEST_CHARACTERS = 50, 5


@dataclass(frozen=True)
class Finding:
    """One line of the doctor; ``remedy`` is empty when all is well."""

    about: str
    text: str
    remedy: str = ""
    refused: bool = False  # nothing is served with it

    @property
    def well(self) -> bool:
        return not self.remedy


Part = Callable[[], Iterator[Finding]]


def part(about: str) -> Callable[[Part], Part]:
    """Register a part of an app above. It is examined when the tables are complete."""

    def add(function: Part) -> Part:
        PARTS_WITH_TABLES[about] = function
        return function

    return add


def examine() -> Iterator[Finding]:
    """Every finding, good or bad; a part that cannot be examined is a bad one."""
    complete = True
    for finding in findings_of(PARTS):
        complete = complete and (finding.well or finding.about != "database default")
        yield finding
    if complete:
        yield from findings_of(PARTS_WITH_TABLES)


def findings_of(parts: Mapping[str, Part]) -> Iterator[Finding]:
    for about, function in parts.items():
        try:
            yield from function()
        except Exception as error:  # noqa: BLE001 - one broken part must not hide the others
            yield Finding(about, f"{UNEXAMINED}{error}", "Mend what this message names.")


def sites_file() -> Iterator[Finding]:
    try:
        site_access.reload()
    except ImproperlyConfigured as error:
        yield Finding("sites file", str(error), "Correct the sites file or set the variable it names.")
        return
    sites = site_access.configured_sites()
    names = ", ".join(site.name for site in sites)
    remedy = "" if sites else "Give at least one site a customer id and a license key."
    yield Finding(
        "sites file", f"{settings.LODESTAR_SITES_FILE}: {names or 'no site has credentials'}", remedy
    )
    for note in old_names(Path(settings.LODESTAR_SITES_FILE)):
        yield Finding("sites file", f"{note} It is still read.")
    demo = [site.name for site in sites if site.license_key in DEMO_KEYS]
    if demo and not settings.DEBUG:
        yield Finding(
            "sites file",
            f"{', '.join(demo)} use the demo's license keys, which everybody knows",
            "Point LODESTAR_SITES_FILE at a file of your own with your own keys.",
        )


def secrets() -> Iterator[Finding]:
    if settings.DEBUG:
        yield Finding("mode", "development mode (LODESTAR_DEBUG is on)")
        return
    weak = is_weak(settings.SECRET_KEY)
    yield Finding(
        "secret key",
        "is short, too simple or a default" if weak else "is set",
        "Set SECRET_KEY to at least 50 random characters." if weak else "",
        refused=weak,
    )
    separate = settings.PSEUDONYM_KEYS[-1] != settings.SECRET_KEY
    yield Finding(
        "pseudonym key",
        "is set" if separate else "is the secret key, which cannot then be changed without losing histories",
        "" if separate else "Set LODESTAR_PSEUDONYM_KEY.",
    )


def is_weak(key: str) -> bool:
    """As Django's security.W009 judges it."""
    few, simple = len(key) < SHORTEST_KEY, len(set(key)) < FEWEST_CHARACTERS
    return few or simple or key.startswith(("django-insecure", "change"))


def static_files() -> Iterator[Finding]:
    if settings.DEBUG:
        return
    remedy = "Start with `python manage.py serve`, which collects them, or run `collectstatic --noinput`."
    if assets.are_collected():
        yield Finding("static files", f"are collected in {settings.STATIC_ROOT}")
    else:
        yield Finding("static files", "are not collected; every page would fail", remedy)


def refuse_unsafe(say: Callable[[str], None]) -> None:
    """Stop what would run unsafely outside development; say what is only unwise.

    Raises CommandError with exit code 2 for a weak key: sessions and tokens could be forged.
    """
    for finding in (one for find in (secrets, sites_file) for one in find() if not one.well):
        line = f"{finding.about}: {finding.text}. {finding.remedy}"
        if finding.refused:
            raise CommandError(f"Not started. {line}", returncode=2)
        say(f"Warning, {line}")


def refuse_without_tables() -> None:
    """Raises CommandError with exit code 2 where migrations are missing.

    A database that is away is no reason: what is served waits for it.
    """
    for alias in settings.DATABASES:
        try:
            found = migrations(alias)
        except DatabaseError:
            continue
        finally:
            connections[alias].close()
        if not found.well:
            raise CommandError(f"Not started. {found.about}: {found.text}. {found.remedy}", returncode=2)


def databases() -> Iterator[Finding]:
    for alias in settings.DATABASES:
        connection = connections[alias]
        try:
            connection.ensure_connection()
        except DatabaseError as error:
            text = f"cannot be reached: {str(error).strip().splitlines()[0]}"
            yield Finding(f"database {alias}", text, "Start it or correct its address.")
            continue
        yield migrations(alias)
        yield from DURABILITY.get(connection.vendor, no_check)(alias)


def migrations(alias: str) -> Finding:
    executor = MigrationExecutor(connections[alias])
    remedy = "Run `python manage.py migrate`, or `python manage.py demo` for the sample site."
    if not executor.loader.applied_migrations:
        return Finding(f"database {alias}", "has no tables yet", remedy)
    targets = executor.loader.graph.leaf_nodes()
    if alias == settings.EVENTS_DB != "default":
        targets = [node for node in targets if node[0] in EVENT_APPS]
    missing = len(executor.migration_plan(targets))
    return Finding(
        f"database {alias}", f"{missing or 'no'} migrations are missing", remedy if missing else ""
    )


def ask(alias: str, question: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
    return row[0] if row else None


def sqlite_durability(alias: str) -> Iterator[Finding]:
    mode, level = ask(alias, "PRAGMA journal_mode"), ask(alias, "PRAGMA synchronous")
    safe = str(mode).lower() == "wal" and int(level) >= 2
    remedy = "" if safe else "Remove options that change journal_mode or synchronous."
    yield Finding(f"database {alias}", f"SQLite with journal_mode={mode}, synchronous={level}", remedy)


def postgresql_durability(alias: str) -> Iterator[Finding]:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        value = ask(alias, f"SHOW {name}")
        remedy = f"Set {name} = on in postgresql.conf; an answer must mean that it is stored."
        yield Finding(f"database {alias}", f"{name} is {value}", remedy if value == "off" else "")
    difference = abs((ask(alias, "SELECT clock_timestamp()") - timezone.now()).total_seconds())
    remedy = "Synchronise the clocks of both machines." if difference > CLOCK_SECONDS else ""
    yield Finding(f"database {alias}", f"its clock differs by {difference:.0f} s", remedy)


def no_check(_alias: str) -> Iterator[Finding]:
    yield from ()


def broker() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        yield Finding("broker", "none; `manage.py work` polls the rows")
        return
    import redis

    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=3, socket_timeout=3)
        persistent = client.config_get("appendonly").get("appendonly") == "yes"
        client.close()
    except redis.RedisError as error:
        yield Finding("broker", f"Redis cannot be reached: {error}", "Start Redis or correct REDIS_URL.")
        return
    remedy = "" if persistent else "Set `appendonly yes` in redis.conf; nothing is lost, but work is delayed."
    yield Finding("broker", f"Redis, append-only file {'on' if persistent else 'off'}", remedy)


def folder() -> Iterator[Finding]:
    path = settings.VAR_DIR
    path.mkdir(parents=True, exist_ok=True)
    writable = os.access(path, os.W_OK)
    free = shutil.disk_usage(path).free
    yield Finding(
        "folder", f"{path} can be written", "" if writable else "Give this user the right to write."
    )
    enough = free >= settings.DISK_FLOOR_BYTES
    remedy = "" if enough else f"Free space until {settings.DISK_FLOOR_BYTES // 2**20} MiB are left."
    yield Finding("folder", f"{free // 2**20} MiB are free", remedy)
    if open_ones := ", ".join(found.name for found in private.readable_by_others(path)):
        text = f"other users of this machine may read or enter {open_ones} in {path}"
        yield Finding("folder", text, "Run `python manage.py migrate` as the owner, or chmod o-rwx them.")


def worker() -> Iterator[Finding]:
    from config.jobs.worker import last_beat

    seen = last_beat()
    recent = seen is not None and timezone.now() - seen < timedelta(seconds=WORKER_SECONDS)
    remedy = "" if recent else "Start `python manage.py serve`, `work`, or a Celery worker with beat."
    age = f"seen {(timezone.now() - seen).total_seconds():.0f} s ago" if seen else ""
    text = age if recent else f"last seen {seen:%Y-%m-%d %H:%M} UTC" if seen else "none is running"
    yield Finding("worker", text, remedy)


def retention() -> Iterator[Finding]:
    from config.customers import directory

    unknown = sorted(set(settings.RETENTION) - set(get_args(Kept)))
    if unknown:
        text = f"LODESTAR_RETENTION_DAYS names {', '.join(unknown)}, which are no events"
        yield Finding("retention", text, f"Use {', '.join(get_args(Kept))}.")
    for account in directory.directory.all():
        yield Finding("retention", f"customer {account.customer_id}: {kept_for(account.retention)}")


def kept_for(days: Mapping[str, int]) -> str:
    """`click 400 days, other events 730 days`."""
    named = [f"{code} {number} days" for code, number in sorted(days.items()) if code != "default"]
    rest = f"{days['default']} days" if "default" in days else "for ever"
    return ", ".join([*named, f"{'other' if named else 'all'} events {rest}"])


PARTS: dict[str, Part] = {
    "sites file": sites_file,
    "mode": secrets,
    "static files": static_files,
    "folder": folder,
    "broker": broker,
    "databases": databases,
}
PARTS_WITH_TABLES: dict[str, Part] = {"worker": worker, "retention": retention}
DURABILITY = {"sqlite": sqlite_durability, "postgresql": postgresql_durability}


@register(Tags.security, deploy=True)
def unsafe(app_configs: object, **_options: Any) -> list[CheckMessage]:
    """The bad findings as Django's own check messages."""
    bad = [finding for finding in examine() if not finding.well]
    return [Error(f"{f.about}: {f.text}.", hint=f.remedy, id="lodestar.E001") for f in bad]
