"""Encryption of what a row has to keep and nobody may read in it: logins that wait, ids of people.

The keys follow from ``SECRET_KEY``, one for each purpose. What was sealed under one of
``SECRET_KEY_FALLBACKS`` can still be read.
"""

from __future__ import annotations

import base64
import hmac
from functools import lru_cache
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unsealable(Exception):
    """The sealed text was made with another key, or damaged."""


def seal(secret: bytes, *, purpose: str) -> str:
    """Encrypt a small secret; the result is text fit for a column. Equal secrets give different texts."""
    return vault(purpose, *keys()).encrypt(secret).decode()


def unseal(sealed: str, *, purpose: str) -> bytes:
    """The secret of :func:`seal`. Raises :class:`Unsealable`."""
    try:
        return vault(purpose, *keys()).decrypt(sealed.encode())
    except InvalidToken:
        raise Unsealable("What is stored cannot be decrypted; was SECRET_KEY changed?") from None


def fingerprint(text: str, *, purpose: str) -> str:
    """A keyed hash by which a secret can be found again: 64 hexadecimal digits, equal for equal texts.

    The oldest key makes it, so that a new one in front finds what was stored before.
    """
    return hmac.digest(key_of(purpose, keys()[-1]), text.encode(), "sha256").hex()


def keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=64)
def vault(purpose: str, *secrets: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key_of(purpose, one))) for one in secrets])


def key_of(purpose: str, secret: str) -> bytes:
    return sha256(f"{purpose}:{secret}".encode()).digest()
