"""User ids as the database sees them: keyed, per customer, never reversible without the keys.

A plain hash of a number is found by counting (3 seconds on one core); hence an HMAC. Equal ids of two
customers must not link, hence a key per customer.

Keys can be rotated although the ids are not known (reference B5). ``settings.PSEUDONYM_KEYS`` is the chain
of all keys, the oldest first; generation 1 is HMAC(k1, id), generation 2 is HMAC(k2, generation 1), and so
on. What is stored says its generation itself: from the second on the first digit is a letter beyond the
hexadecimal ones. So nothing is ever re-keyed twice, and the values of one generation are a range of every
index over users.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

from django.conf import settings

DIGITS = 32  # the first tells the generation, the others are hexadecimal: at least 124 bits
MARKS = "ghijklmnopqr"  # of the generations from the second on; their order is the same in every collation
STORED = rf"[0-9a-f{MARKS}][0-9a-f]{{{DIGITS - 1}}}"  # what a pseudonym of any generation looks like
LOWEST = "0"  # nobody is ""
EVERYBODY = (LOWEST, "s")


def pseudonym(customer_id: str, raw_user_id: str) -> str:
    """The form in which a user id is stored today: 32 characters.

    Case and bytes matter: `Ü` composed and decomposed are two users. The same id gives the same pseudonym as
    long as the chain of keys stays.
    """
    keys = settings.PSEUDONYM_KEYS
    first = digest(keys[0], customer_id, raw_user_id)[:DIGITS]
    return first if len(keys) == 1 else newest(customer_id, first)


def pseudonyms(customer_id: str, raw_user_id: str) -> tuple[str, ...]:
    """Every stored form that a user id may have, the current one first."""
    first = digest(settings.PSEUDONYM_KEYS[0], customer_id, raw_user_id)[:DIGITS]
    return onward(customer_id, first)[::-1]


def newest(customer_id: str, stored: str) -> str:
    """The form of today of a stored one; "" (nobody) stays."""
    if len(settings.PSEUDONYM_KEYS) == 1:
        return stored
    return onward(customer_id, stored)[-1]


def onward(customer_id: str, stored: str) -> tuple[str, ...]:
    """A stored form and what the keys after its own make of it, up to the form of today."""
    keys = settings.PSEUDONYM_KEYS
    forms = [stored]
    if stored:
        for place in range(generation_of(stored), len(keys)):
            forms.append(MARKS[place - 1] + digest(keys[place], customer_id, forms[-1])[: DIGITS - 1])
    return tuple(forms)


def generation_of(stored: str) -> int:
    """1 for the first key's. The form of a key that is no longer set counts as it says."""
    return MARKS.find(stored[0]) + 2 if stored[0] in MARKS else 1


def span_of(generation: int) -> tuple[str, str]:
    """Stored forms of a generation are at least the first and less than the second of these."""
    bounds = (LOWEST, *MARKS, EVERYBODY[1])
    return bounds[generation - 1], bounds[generation]


def outdated() -> tuple[str, str]:
    """The same for all generations but that of today; an empty range with a single key."""
    return LOWEST, span_of(len(settings.PSEUDONYM_KEYS))[0]


def digest(installation_key: str, customer_id: str, text: str) -> str:
    return hmac.digest(customer_key(installation_key, customer_id), text.encode(), "sha256").hex()


@lru_cache(maxsize=4096)
def customer_key(installation_key: str, customer_id: str) -> bytes:
    return hmac.digest(installation_key.encode(), b"pseudonym:" + customer_id.encode(), "sha256")
