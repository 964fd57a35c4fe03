"""HTTP Basic credentials of a request."""

from __future__ import annotations

import base64
import binascii

from django.http import HttpRequest


def basic_credentials(request: HttpRequest) -> tuple[str, str]:
    """Login and password of the request, two empty strings when it has none that can be read."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        login, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    # PostgreSQL takes no NUL in any value, so nobody has one.
    return ("", "") if "\0" in login + password else (login, password)
