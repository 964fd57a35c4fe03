"""The password file of an export folder, in the form of Apache and nginx. Reference `client-protocol.md` 2.8.

A folder that an operator serves with a web server of their own is protected by it; ours asks the row of the
run first. New files hold a SHA-512 hash; those of older installations, DES included, are still understood.
"""

from __future__ import annotations

import os
from pathlib import Path

from passlib.apache import HtpasswdFile
from passlib.hash import sha512_crypt

from personalization.client.export import files

NAME = ".htpasswd"
# The password is 30 random characters: no number of rounds makes it harder to guess.
ROUNDS = 5000
MOST_BYTES = 64 * 1024


def write(folder: Path, *, login: str, password: str) -> None:
    """Publish ``login:hash`` in the run folder. Raises ``ExportFailed`` when the disk is full.

    Logins that it has stay: an engine may have taken a notification of which we had no answer.
    """
    hashed = sha512_crypt.using(rounds=ROUNDS).hash(password)  # type: ignore[no-untyped-call]
    try:
        before = (folder / NAME).read_bytes()[: MOST_BYTES // 2]
    except OSError:
        before = b""
    with files.publish(folder, NAME) as out:
        out.write(f"{login}:{hashed}\n".encode() + before)


def accepts(folder: Path, *, login: str, password: str) -> bool:
    """Whether the password file of ``folder`` has this login; False without one, or with a broken one."""
    try:
        handle = os.open(folder / NAME, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            known = HtpasswdFile.from_string(file.read(MOST_BYTES))
        return bool(known.check_password(login, password))
    except (OSError, ValueError, RuntimeError):  # the last: a kind of hash whose library is not installed
        return False
