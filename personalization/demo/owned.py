"""What belongs to the demo: a state folder and databases that carry the same mark.

The folder alone would not do: with another ``DATABASE_URL`` it would vouch for somebody else's tables.
"""

from __future__ import annotations

import secrets
import shutil
from enum import Enum
from pathlib import Path

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from tracking.collector import surge

BUILDING = "building"
# Made before the first migration and outside them: only the demo's databases have it.
TABLE = "lodestar_demo"


class State(Enum):
    """What the state folder and the databases hold."""

    EMPTY = "nothing yet"
    UNFINISHED = "a demo whose set-up was interrupted"
    READY = "a complete demo"
    FOREIGN = "an installation that is not the demo"
    MISMATCH = "a demo whose databases are others"


def marker() -> Path:
    """The file by which a folder is known: "building" or the time of completion, then the mark."""
    path: Path = settings.VAR_DIR / "demo"
    return path


def state() -> State:
    """READY and UNFINISHED only if whatever is in the databases is the demo's: it may be thrown away."""
    if not marker().exists():
        empty = not any(holds_files(one) for one in folders())
        return State.EMPTY if empty and all(map(is_empty, connections.all())) else State.FOREIGN
    progress, _, mark = marker().read_text().strip().partition("\n")
    if not all(belongs(one, mark.strip(), begun=progress == BUILDING) for one in connections.all()):
        return State.MISMATCH
    missing = any(map(is_empty, connections.all()))
    return State.UNFINISHED if progress == BUILDING or missing else State.READY


def folders() -> tuple[Path, ...]:
    """What starting over deletes below the state folder."""
    return settings.EXPORT_ROOT, settings.LAKE_ROOT, settings.ARTEFACT_ROOT, settings.MEDIA_ROOT


def holds_files(folder: Path) -> bool:
    return any(path.is_file() for path in folder.rglob("*"))


def belongs(connection: BaseDatabaseWrapper, mark: str, *, begun: bool) -> bool:
    """Whether the database is that of the folder's demo. ``begun``: the set-up did not end."""
    if is_empty(connection):
        return begun or in_folder(connection)
    found = mark_of(connection)
    # Demos of earlier versions have no mark; what lies in their folder is theirs.
    return found == mark if found or mark else in_folder(connection)


def is_empty(connection: BaseDatabaseWrapper) -> bool:
    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        return True  # connecting would make the file
    return not connection.introspection.table_names()


def in_folder(connection: BaseDatabaseWrapper) -> bool:
    name = Path(str(connection.settings_dict["NAME"]))
    return connection.vendor == "sqlite" and name.resolve().is_relative_to(settings.VAR_DIR)


def mark_of(connection: BaseDatabaseWrapper) -> str:
    """The mark in the database, or ""."""
    if TABLE not in connection.introspection.table_names():
        return ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT mark FROM {TABLE}")  # noqa: S608 - a name of ours
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def begin() -> None:
    """Mark the folder and its empty databases with the same new mark."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    mark = secrets.token_hex(16)
    marker().write_text(f"{BUILDING}\n{mark}\n")
    for connection in connections.all():
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {TABLE} (mark varchar(32) PRIMARY KEY)")
            cursor.execute(f"INSERT INTO {TABLE} (mark) VALUES (%s)", [mark])  # noqa: S608 - a name of ours


def complete() -> None:
    mark = marker().read_text().partition("\n")[2]
    marker().write_text(f"{timezone.now().isoformat()}\n{mark}")


def forget() -> None:
    """Remove everything an earlier demo left in the state folder and its databases, except the keys.

    Only after :func:`state` found the demo.
    """
    if marker().exists():  # killed half way, this still is the demo's
        marker().write_text(f"{BUILDING}\n{marker().read_text().partition(chr(10))[2]}")
    for folder in folders():
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(settings.VAR_DIR / "cache", ignore_errors=True)
    if connections[settings.EVENTS_DB].vendor == "sqlite":
        surge.forget_journals()
    for connection in connections.all():
        if connection.vendor == "sqlite":
            connection.close()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{connection.settings_dict['NAME']}{suffix}").unlink(missing_ok=True)
        else:
            drop_tables(connection)


def drop_tables(connection: BaseDatabaseWrapper) -> None:
    """Drop what migrations made, so that they make it again with the rows they bring.

    `flush` would keep the note that they have run, and `migrate` would not bring back the root page, the
    locale or the root collection. Tables that no app of ours has are left alone.
    """
    ours = {*connection.introspection.django_table_names(only_existing=True), "django_migrations", TABLE}
    quote = connection.ops.quote_name
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for name in sorted(ours & set(connection.introspection.table_names())):
            cursor.execute(f"DROP TABLE {quote(name)} CASCADE")
