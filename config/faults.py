"""What ails the machine rather than the caller, in one sentence for people."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, DataError, IntegrityError

FAILED, WRONG_USE = 1, 2
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
UNMIGRATED = ("no such table", "no such column", "does not exist\nline 1", "undefinedtable")
FULL_WORDS = ("disk is full", "no space left")


class Fault(Exception):
    """Work that the machine did not allow; the message is a sentence. Trying again later may help."""


@contextmanager
def writing_to(folder: Path, *, lost: str) -> Iterator[None]:
    """Turn an error of the file system below ``folder`` into a :class:`Fault`.

    ``lost`` begins the sentence and says what was not stored.
    """
    try:
        yield
    except Exception as error:
        if not (isinstance(error, OSError) or is_full(error)):
            raise
        raise Fault(f"{lost}: {disk_reason(error, folder=folder)}") from error


def is_full(error: Exception) -> bool:
    """Whether a disk took no more; DuckDB and SQLite only say so in words."""
    number = error.errno if isinstance(error, OSError) else None
    return number in FULL or any(word in str(error).lower() for word in FULL_WORDS)


def disk_reason(error: Exception, *, folder: Path) -> str:
    """Why ``folder`` took no more, with its free bytes, as the end of a sentence."""
    if is_full(error):
        return f"the disk is full: {folder} has {room_at(folder)}. Free some space."
    reason = getattr(error, "strerror", None) or type(error).__name__
    return f"the file system answered {reason!r} while writing to {folder}."


def room_at(folder: Path) -> str:
    """The free space at ``folder`` or at what exists of the way to it."""
    place = next(one for one in (folder, *folder.parents) if one.exists())
    found = os.statvfs(place)
    free = f"{found.f_bavail * found.f_frsize:,} bytes free"
    if found.f_files and not found.f_favail:
        return f"{free}, but takes no more files (0 of {found.f_files:,} are left)"
    return free


def explained(error: Exception) -> tuple[int, str] | None:
    """Exit code and sentence for a fault a command may meet; None for what would be a mistake of ours."""
    if isinstance(error, Fault):
        return FAILED, str(error)
    if isinstance(error, ImproperlyConfigured):
        return WRONG_USE, str(error)
    if isinstance(error, DatabaseError):
        return of_database(error)
    if isinstance(error, OSError) and error.errno in FULL:
        where = f" while writing {error.filename}" if error.filename else ""
        return FAILED, f"The disk is full{where}. Free some space and run the command again."
    if isinstance(error, PermissionError) and error.filename:
        return FAILED, f"{error.filename} may not be written or read by this user ({error.strerror})."
    return None


def is_outage(error: Exception) -> bool:
    """Whether the same question may be answered in a moment: the database is away, full or locked."""
    text = str(error).lower()
    return not any(word in text for word in UNMIGRATED)


def rooms() -> str:
    """Where the files of SQLite are and how much room they have; "" for databases elsewhere."""
    folders = {
        Path(database["NAME"]).parent
        for database in settings.DATABASES.values()
        if database["ENGINE"] == "django.db.backends.sqlite3"
    }
    return "".join(f": {folder} has {room_at(folder)}" for folder in sorted(folders))


def of_database(error: DatabaseError) -> tuple[int, str]:
    text = str(error).strip()
    first = text.splitlines()[0] if text else type(error).__name__
    if any(word in text.lower() for word in UNMIGRATED):
        return WRONG_USE, (
            f"The database lacks tables or columns ({first}). "
            "Run `python manage.py migrate`, or `python manage.py demo` for the sample site."
        )
    if any(word in text.lower() for word in FULL_WORDS):
        return FAILED, f"The disk of the database is full ({first}){rooms()}. Free some space and try again."
    if isinstance(error, (IntegrityError, DataError)):  # it is there and has judged
        return FAILED, (
            f"The database refused a value: {first}. Nothing of this step was stored; "
            "with --traceback the command shows where."
        )
    return FAILED, (
        f"The database cannot be used: {first}. Start it, or correct DATABASE_URL and EVENTS_DATABASE_URL; "
        "`python manage.py doctor` tells more."
    )
