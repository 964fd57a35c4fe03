"""Environment variables in the sites file: ``%env(NAME)%``, ``%env(int:NAME)%``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

PLACEHOLDER = re.compile(r"%env\(([^()%]*)\)%")
NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
WHOLE_NUMBER = re.compile(r"^-?[0-9]+$")
Path = tuple[str, ...]  # the keys that lead to a value
TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


class BadPlaceholder(ValueError):
    """A placeholder that cannot be resolved; the message names the variable."""


def as_int(name: str, raw: str) -> int:
    if not WHOLE_NUMBER.match(raw.strip()):
        raise BadPlaceholder(f"the environment variable {name} must be a whole number, but is {raw[:80]!r}")
    return int(raw)


def as_bool(name: str, raw: str) -> bool:
    word = raw.strip().lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise BadPlaceholder(f"the environment variable {name} must be true or false, but is {raw[:80]!r}")
    return word in TRUE_WORDS


def as_str(_name: str, raw: str) -> str:
    return raw


def trimmed(_name: str, raw: str) -> str:
    return raw.strip()


CASTS: dict[str, Callable[[str, str], Any]] = {
    "int": as_int,
    "bool": as_bool,
    "string": as_str,
    "trim": trimmed,
}


def walked(value: Any, change: Callable[[Any, Path], Any], *, path: Path = ()) -> Any:
    """The value with ``change(scalar, its path)`` in place of each scalar in it."""
    if isinstance(value, dict):
        return {key: walked(part, change, path=(*path, key)) for key, part in value.items()}
    if isinstance(value, list):
        return [walked(part, change, path=(*path, str(n))) for n, part in enumerate(value)]
    return change(value, path)


def resolve(value: Any) -> Any:
    """Replace the placeholders of one scalar; raises :class:`BadPlaceholder`."""
    if not isinstance(value, str) or "%env(" not in value:
        return value
    whole = PLACEHOLDER.fullmatch(value)
    if whole:
        return lookup(whole[1])
    resolved = PLACEHOLDER.sub(lambda found: str(lookup(found[1])), value)
    if "%env(" in resolved and PLACEHOLDER.search(value) is None:
        raise BadPlaceholder(f"{value[:80]!r} is not written as %env(NAME)% or %env(int:NAME)%")
    return resolved


def lookup(expression: str) -> Any:
    cast, _, name = expression.rpartition(":")
    if not NAME.match(name):
        raise BadPlaceholder(f"%env({expression})% does not name an environment variable")
    if cast and cast not in CASTS:
        known = ", ".join(CASTS)
        raise BadPlaceholder(f"%env({expression})% asks for {cast!r}; known conversions are {known}")
    if name not in os.environ:
        raise BadPlaceholder(
            f"the environment variable {name} is not set; set it in the environment or in .env.local"
        )
    return CASTS[cast or "string"](name, os.environ[name])


def variables_of(value: Any) -> list[str]:
    """The names of the variables that a scalar mentions."""
    if not isinstance(value, str):
        return []
    return [expression.rpartition(":")[2] for expression in PLACEHOLDER.findall(value)]
