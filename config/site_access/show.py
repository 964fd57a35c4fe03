"""The effective settings of a site, each with the place that decided it. Secrets are never part of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.site_access.document import Document, KeyPath, read
from config.site_access.load import effective, validated
from config.site_access.placeholders import variables_of
from config.site_access.record import SiteAccess
from config.site_access.schema import RENAMED, Entry
from config.site_access.scopes import Scoped, did_you_mean, sites

HIDDEN = "(set, not shown)"
SECRET_WORDS = ("license_key", "api_key", "password", "secret", "token", "stream_id")
BUILT_IN = "built-in default"
# What an entry leaves out and this installation fills in: key -> field of the record, and its source.
OWN = "this installation's own"
FILLED_IN: dict[KeyPath, tuple[str, str]] = {
    ("site_name",): ("site_name", "the name of the entry"),
    ("host_uri",): ("host_uri", OWN),
    ("api", "admin", "endpoint"): ("admin_endpoint", OWN),
    ("api", "notifier", "endpoint"): ("notifier_endpoint", "as api.admin.endpoint"),
    ("api", "recommendation", "endpoint"): ("recommendation_endpoint", OWN),
    ("api", "event_tracking", "endpoint"): ("event_endpoint", OWN),
    ("api", "user", "endpoint"): ("user_endpoint", OWN),
}


@dataclass(frozen=True)
class Setting:
    """One key of an entry: ``source`` names line, scope and variables, or says that it is a default."""

    key: str
    value: Any
    source: str


class NoSuchSite(LookupError):
    """The sites file has no entry of this name."""


def all_sites(path: Path) -> list[str]:
    """The names of all entries, those without credentials too, in file order."""
    return [scoped.name for scoped in sites(read(path))]


def settings_of(path: Path, name: str) -> list[Setting]:
    """Every key of the entry ``name`` in the file, in the order of the schema.

    An entry without credentials is shown too. Raises :class:`NoSuchSite`, and
    :class:`~config.site_access.record.SitesFileError` for a file that cannot be used.
    """
    document = read(path)
    known = {scoped.name: scoped for scoped in sites(document)}
    if name not in known:
        hint = did_you_mean(name[:80], list(known)) if known else " It names no site."
        raise NoSuchSite(f"No site is called {name[:80]!r} in {path}.{hint}")
    scoped = known[name]
    entry = validated(document, scoped)
    record = effective(name, entry)
    return [
        Setting(".".join(key), *told(document, scoped, record, key, value)) for key, value in leaves(entry)
    ]


def old_names(path: Path) -> list[str]:
    """One sentence for each place of the file that is written under a name of earlier versions."""
    document = read(path)
    lines = sorted((line, key) for key, line in document.lines.items())
    found = [(line, key[-1]) for line, key in lines if key[-1] in RENAMED and "system" in key]
    return [f"{path}, line {line}: {old} is the old name of {RENAMED[old]}." for line, old in found]


def leaves(entry: Entry) -> Iterator[tuple[KeyPath, Any]]:
    yield from flattened(entry.model_dump(mode="json"), ())


def flattened(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Mappings with fixed keys are taken apart; an empty one is a value of its own."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from flattened(part, (*path, str(key)))
    else:
        yield path, value


def told(document: Document, scoped: Scoped, record: SiteAccess, key: KeyPath, value: Any) -> tuple[Any, str]:
    """The value as it may be shown, and where it comes from."""
    place = next((place for place in scoped.places(key) if place in document.lines), None)
    if not value and key in FILLED_IN:
        field, source = FILLED_IN[key]
        return getattr(record, field), source
    value = masked(key[-1], value)
    if place is None:
        return value, BUILT_IN
    names = variables_of(at(document.values, place))
    source = f"line {document.lines[place]}, scope {place[2]}"
    return value, source + (f", from {' and '.join(names)}" if names else "")


def masked(name: str, value: Any) -> Any:
    """``value`` without the secrets that it is or holds, at any depth."""
    if isinstance(value, dict):
        return {key: masked(str(key), part) for key, part in value.items()}
    if isinstance(value, list):
        return [masked(name, part) for part in value]
    return HIDDEN if value and is_secret(name) else value


def is_secret(name: str) -> bool:
    """Whether a key of this name holds a secret."""
    return any(word in name.lower() for word in SECRET_WORDS)


def at(values: Any, path: KeyPath) -> Any:
    for key in path:
        values = values[int(key)] if isinstance(values, list) else values.get(key)
    return values
