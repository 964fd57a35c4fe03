"""What never stands in a log: secrets and raw user ids. Reference B2-16, B2-17, B2-29."""

from __future__ import annotations

import logging
import os
import re

from django.core.exceptions import ImproperlyConfigured

MASK = "[hidden]"
SECRET_WORD = (
    r"(?:license[_-]?key|secret(?:[_-]?key)?|token|password|passwd|authorization|cookie|api[_-]?key)"  # noqa: S105
)
# key=value, "key": "value", key: value
BY_NAME = re.compile(
    rf"""(?ix) (["']?[\w-]*{SECRET_WORD}[\w-]*["']?\s*[=:]\s*)
    (?:Bearer\s+|Basic\s+)? (["']?)[^\s"',;&}}\])]+\2"""
)
SCHEMES = re.compile(r"(?i)\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}")
IN_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s/@]*@")
# /api/<customer>/<event>/<user>/..., its older spellings, and /api/v2/<customer>/<user>/<scenario>
EVENT_PREFIX = r"/(?:api(?!/v[0-9]/)|ebl|ebh|newsl|newsh|news)/[^/\s?]+/"
EVENT_PATH = re.compile(rf"({EVENT_PREFIX}(?!items?\b)[a-z]+/)[^/\s?\"']+(?=[/?\s]|$)")
LOGIN_PATH = re.compile(rf"({EVENT_PREFIX}login/\[user\]/)[^/\s?\"']+")
RECOMMENDATION_PATH = re.compile(r"(/api/v[0-9]/[^/\s?]+/)[^/\s?\"']+(?=/)")
SECRET_NAME = re.compile(r"(?i)(SECRET|PASSWORD|LICENSE_KEY|TOKEN|PSEUDONYM_KEY)")
SHORTEST_SECRET = 6


def known_secrets() -> list[str]:
    """Values of this installation that are secret wherever they turn up, the longest first."""
    from django.conf import settings

    found = {value for name, value in os.environ.items() if SECRET_NAME.search(name)}
    if settings.configured:
        found |= {settings.SECRET_KEY, *settings.PSEUDONYM_KEYS}
        found |= {str(database.get("PASSWORD") or "") for database in settings.DATABASES.values()}
        found |= secrets_of_sites()
    return sorted((value for value in found if len(value) >= SHORTEST_SECRET), key=len, reverse=True)


def secrets_of_sites() -> set[str]:
    from config import site_access

    try:
        sites = site_access.configured_sites()
    except ImproperlyConfigured:
        return set()
    return {site.license_key for site in sites} | {site.export_password for site in sites}


def redact(text: str, *, secrets: list[str] | None = None) -> str:
    """``text`` on one line, without secrets and raw user ids."""
    for secret in known_secrets() if secrets is None else secrets:
        text = text.replace(secret, MASK)
    text = BY_NAME.sub(rf"\1{MASK}", text)
    text = SCHEMES.sub(rf"\1 {MASK}", text)
    return redacted_path(IN_ADDRESS.sub(rf"\1{MASK}@", text))


def redacted_path(path: str) -> str:
    """An address with the user segment of tracking and recommendation paths replaced."""
    events = LOGIN_PATH.sub(r"\1[user]", EVENT_PATH.sub(r"\1[user]", path))
    return RECOMMENDATION_PATH.sub(r"\1[user]", events)


class OneLine(logging.Formatter):
    """Redacts the finished line and escapes line breaks, so that nobody can forge a second one.

    The message and its arguments are joined first: a secret may stand in either.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = redact(super().format(record))
        head, *trace = text.split("\n") if record.exc_info else [text]
        lines = [escaped(head), *(f"  {escaped(line)}" for line in trace)]
        return "\n".join(lines)


def escaped(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\x1b", "\\x1b").replace("\0", "\\0")
