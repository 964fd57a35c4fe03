"""Names of people: their one spelling, and how they are stored (reference `cdp.md` 2.2 stage 4, 2.6).

Integers become text, blanks around go, addresses are lower-cased, others keep their case. Some values are
nobody's name: forms are full of ``undefined`` and ``test@test.com``.
"""

from __future__ import annotations

import re
from typing import Any

from config import sealing

USER, COOKIE, EMAIL = "userid", "coid", "email"
SYSTEM = (USER, COOKIE, EMAIL)
TRACKED = "tracked:"
NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
LONGEST = 255
PURPOSE = "cdp-identifier"
# Never join two people (reference 2.6); compared without case.
NOBODY = frozenset({"", "0", "null", "undefined", "anonymous", "none", "test@test.com"})


class BadIdentifier(ValueError):
    """A value that cannot name a person; the message is a rule without a subject."""


def normal(kind: str, value: Any) -> str:
    """The one spelling of a name. Raises :class:`BadIdentifier`."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadIdentifier("must be a text or a whole number")
    text = str(value).strip()
    if kind == EMAIL:
        text = text.lower()
    if not text or len(text) > LONGEST or not text.isprintable():
        raise BadIdentifier(f"must have 1 to {LONGEST} printable characters")
    return text


def is_nobody(text: str, *, more: frozenset[str] = frozenset()) -> bool:
    """Whether many people are called so, which means that nobody is. ``more``: the operator's own list."""
    return text.lower() in NOBODY or text.lower() in more


def tracked(customer_id: str) -> str:
    """The kind of the pseudonyms of a customer."""
    return f"{TRACKED}{customer_id}"


def digest(account: int, kind: str, text: str) -> str:
    """By which a name in its one spelling is found. ``account``: the number."""
    return sealing.fingerprint(f"{account}\0{kind}\0{text}", purpose=PURPOSE)


def seal(text: str) -> str:
    return sealing.seal(text.encode(), purpose=PURPOSE)


def unseal(sealed: str) -> str:
    """Raises :class:`~config.sealing.Unsealable`."""
    return sealing.unseal(sealed, purpose=PURPOSE).decode()
