"""What ails the machine rather than the caller, in one sentence for the terminal."""

from __future__ import annotations

import errno

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

FAILED, WRONG_USE = 1, 2
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
UNMIGRATED = ("no such table", "no such column", "does not exist\nline 1", "undefinedtable")
FULL_WORDS = ("disk is full", "no space left")


def explained(error: Exception) -> tuple[int, str] | None:
    """Exit code and sentence for a fault a command may meet; None for what would be a mistake of ours."""
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


def of_database(error: DatabaseError) -> tuple[int, str]:
    text = str(error).strip()
    first = text.splitlines()[0] if text else type(error).__name__
    if any(word in text.lower() for word in UNMIGRATED):
        return WRONG_USE, (
            f"The database lacks tables or columns ({first}). "
            "Run `python manage.py migrate`, or `python manage.py demo` for the sample site."
        )
    if any(word in text.lower() for word in FULL_WORDS):
        return (
            FAILED,
            f"The disk of the database is full ({first}). Free some space and run the command again.",
        )
    return FAILED, (
        f"The database cannot be used: {first}. Start it, or correct DATABASE_URL and EVENTS_DATABASE_URL; "
        "`python manage.py doctor` tells more."
    )
