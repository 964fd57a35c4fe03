"""Encryption of secrets that must wait in a row, such as the login of a download.

Rule 5 of the architecture: keys and tokens are never stored in clear. A changed ``SECRET_KEY`` makes waiting
imports fail with a sentence; the next notification brings new ones.
"""

from __future__ import annotations

from typing import Any

import orjson

from config import sealing

PURPOSE = "engine-sealing"


class Unsealable(Exception):
    """The sealed text was made with another key, or damaged."""


def seal(document: dict[str, Any]) -> str:
    """Encrypt a small JSON document; the result is text fit for a JSON column."""
    return sealing.seal(orjson.dumps(document), purpose=PURPOSE)


def unseal(sealed: str) -> dict[str, Any]:
    """The document of :func:`seal`. Raises :class:`Unsealable`."""
    try:
        document: dict[str, Any] = orjson.loads(sealing.unseal(sealed, purpose=PURPOSE))
    except sealing.Unsealable:
        raise Unsealable(
            "The stored credentials cannot be decrypted; was SECRET_KEY changed? Start a new export."
        ) from None
    return document
