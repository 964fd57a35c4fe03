"""Encryption of secrets that must wait in a row, such as the login of a download.

Rule 5 of the architecture: keys and tokens are never stored in clear. The key follows from ``SECRET_KEY``,
so a changed ``SECRET_KEY`` makes waiting imports fail with a sentence; the next notification brings new ones.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class Unsealable(Exception):
    """The sealed text was made with another key, or damaged."""


def seal(document: dict[str, Any]) -> str:
    """Encrypt a small JSON document; the result is text fit for a JSON column."""
    return cipher().encrypt(orjson.dumps(document)).decode()


def unseal(sealed: str) -> dict[str, Any]:
    """The document of :func:`seal`. Raises :class:`Unsealable`."""
    try:
        document: dict[str, Any] = orjson.loads(cipher().decrypt(sealed.encode()))
    except InvalidToken:
        raise Unsealable(
            "The stored credentials cannot be decrypted; was SECRET_KEY changed? Start a new export."
        ) from None
    return document


def cipher() -> Fernet:
    digest = sha256(b"engine-sealing:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
