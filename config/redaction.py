"""What never stands in a log: secrets and raw user ids. Reference B2-16, B2-17, B2-29."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any, get_args

from django.core.exceptions import ImproperlyConfigured

from config.site_access.schema import Kept

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
# /api/<customer>/<event>/<user>/..., its older spellings, and /api/v2/<customer>/<user>/<scenario>: whatever
# stands behind one of these prefixes is shown by its place.
PREFIXES = ("api", "ebl", "ebh", "newsl", "newsh", "news")
SLASH = "(?:/|%2f)"
PREFIX = "|".join(
    "".join(f"(?:{letter}|%{ord(letter):x}|%{ord(letter.upper()):x})" for letter in word) for word in PREFIXES
)
BEHIND_PREFIX = rf"(?i)({SLASH}(?:{PREFIX}){SLASH})"
ADDRESS = re.compile(rf"{BEHIND_PREFIX}([^?]+)")
ADDRESS_IN_TEXT = re.compile(rf"{BEHIND_PREFIX}([^? \t\r\n]+)")
BEGINS_ADDRESS = re.compile(r"/|[a-z]+://")
REST_API = "ibexa/v2/personalization/v1/"
VERSION = re.compile(r"v[0-9]\Z")
# Event codes and what else stands in their place; other words may be anything, such as a user id.
WORDS = {*get_args(Kept), "transfer", "follow", "events", "item", "items", "tracking.json"}
USER = "[user]"
SECRET_NAME = re.compile(r"(?i)(SECRET|PASSWORD|LICENSE_KEY|API_KEY|TOKEN|PSEUDONYM_KEY)")
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
    keys = {site.license_key for site in sites} | {site.export_password for site in sites}
    return keys | set(secrets_in(site_access.current_file().cdp_of_sites))


def secrets_in(value: Any, name: str = "") -> Iterator[str]:
    """Texts under names of secrets; what comes from a variable is known by the variable's name."""
    from config.site_access.show import is_secret

    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from secrets_in(part, str(key))
    elif isinstance(value, list):
        for part in value:
            yield from secrets_in(part, name)
    elif isinstance(value, str) and is_secret(name) and "%env(" not in value:
        yield value


def redact(text: str, *, secrets: list[str] | None = None) -> str:
    """``text`` on one line, without secrets and raw user ids."""
    for secret in known_secrets() if secrets is None else secrets:
        text = text.replace(secret, MASK)
    text = BY_NAME.sub(rf"\1{MASK}", text)
    text = SCHEMES.sub(rf"\1 {MASK}", text)
    return ADDRESS_IN_TEXT.sub(shown, IN_ADDRESS.sub(rf"\1{MASK}@", text))


def redacted_path(path: str) -> str:
    """One address, blanks included, with the user ids of tracking and recommendation paths replaced."""
    return ADDRESS.sub(shown, path)


def shown(found: re.Match[str]) -> str:
    """What may be read of an address from its prefix up to its query."""
    prefix, rest = found[1], found[2]
    if rest.startswith(REST_API):
        return prefix + rest
    pieces = rest.split("/")
    if VERSION.match(pieces[0]):
        return prefix + "/".join([*pieces[:2], *recommendation(pieces[2:])])
    customer = MASK if "%" in pieces[0] else pieces[0]
    return prefix + "/".join([customer, *event(pieces[1:])])


def recommendation(pieces: list[str]) -> list[str]:
    """[user, scenario]; an id may hold slashes."""
    return [*hidden(pieces[:-1] or pieces), *(pieces[-1:] if len(pieces) > 1 else [])]


def event(pieces: list[str]) -> list[str]:
    """[event, user, item type, item]; of a path of another form nobody can tell where its user stands."""
    code, rest = pieces[:1], pieces[1:]
    if code in (["item"], ["items"]):
        return pieces
    if code and code[0] not in WORDS:
        return [MASK if code[0] else "", *hidden(rest)]
    if code == ["login"] or len(rest) != 3:
        return [*code, *hidden(rest)]
    return [*code, *hidden(rest[:1]), *rest[1:]]


def hidden(pieces: list[str]) -> list[str]:
    return [USER if piece else "" for piece in pieces]


class OneLine(logging.Formatter):
    """Redacts the finished line and escapes line breaks, so that nobody can forge a second one.

    The message and its arguments are joined first: a secret may stand in either.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = redact(super().format(with_hidden_users(record)))
        head, *trace = text.split("\n") if record.exc_info else [text]
        lines = [escaped(head), *(f"  {escaped(line)}" for line in trace)]
        return "\n".join(lines)


def with_hidden_users(record: logging.LogRecord) -> logging.LogRecord:
    """Once in the sentence, an address ends at its first blank; as an argument it is known to be one."""
    if not isinstance(record.args, tuple):
        return record
    result = copy(record)
    result.args = tuple(
        redacted_path(one) if isinstance(one, str) and BEGINS_ADDRESS.match(one) else one
        for one in record.args
    )
    return result


def escaped(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\x1b", "\\x1b").replace("\0", "\\0")
