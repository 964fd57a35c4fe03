"""What the sites file says of the customer data platform (reference `cdp.md` 1.2, 4.2, 5.1).

Per site ``cdp`` with the account, the streams that users, products and content go to, the activations that
may fill segments and the credentials for anonymous visitors; ``bulk_async_threshold`` and the schedule of
exports below one of the roots ``cdp`` and ``ibexa_cdp``. What is wrong is a fault for `doctor`; the rest of
it stays in force.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, ValidationError

from cdp import cron
from cdp.written import KINDS, MODELS, Activation, Kind, Membership, Scheduled, SiteCdp
from config import site_access
from config.site_access.load import SitesFile
from config.site_access.placeholders import BadPlaceholder, resolve, walked
from config.site_access.scopes import deep_merge, did_you_mean

__all__ = ["Activation", "Configuration", "Membership", "Scheduled", "SiteCdp", "current", "read"]

THRESHOLD = 100
OLD_STREAM = "user_data_streaming"  # of releases 3.3 and 4.2


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """``sites`` by entry of the sites file; ``activations`` by client id; ``accounts``: their number -> the
    customers of their sites; ``schedule`` in file order. ``faults``: sentences for `doctor`; ``notes``:
    others, which name old spellings that are still read."""

    sites: dict[str, SiteCdp] = field(default_factory=dict)
    activations: dict[str, Activation] = field(default_factory=dict)
    accounts: dict[int, tuple[str, ...]] = field(default_factory=dict)
    threshold: int = THRESHOLD
    schedule: tuple[Scheduled, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


_known: tuple[SitesFile, Configuration] | None = None


def current() -> Configuration:
    """The configuration in force; an empty one while there is no sites file."""
    global _known  # noqa: PLW0603 - read again when the file is another
    try:
        file = site_access.current_file()
    except ImproperlyConfigured:
        return Configuration()
    if _known is None or _known[0] is not file:
        _known = file, read(file)
    return _known[1]


def read(file: SitesFile) -> Configuration:
    faults: list[str] = []
    notes: list[str] = []
    sites = {
        name: site_part(name, written, faults=faults, notes=notes)
        for name, written in file.cdp_of_sites.items()
    }
    threshold, wrong = threshold_of(file)
    return Configuration(
        sites=sites,
        activations=activations_of(sites, faults),
        accounts=accounts_of(file, sites),
        threshold=threshold,
        schedule=tuple(schedule_of(file, faults)),
        notes=tuple(notes),
        faults=(*faults, *wrong, *shared_streams(sites)),
    )


def site_part(name: str, written: dict[str, Any], *, faults: list[str], notes: list[str]) -> SiteCdp:
    """What is good of a site's part; each piece is judged by itself, so that one fault costs one piece."""
    good: dict[str, Any] = {}
    for place, piece in pieces(todays(name, written, notes)):
        try:
            part = SiteCdp.model_validate(walked(piece, lambda value, _path: resolve(value))).model_dump(
                exclude_unset=True
            )
        except BadPlaceholder as fault:
            faults.append(f"cdp.{'.'.join(place)} of site {name!r}: {fault}.")
        except ValidationError as fault:
            faults.append(sentence(name, place, fault))
        else:
            good = deep_merge(
                good, part | {"activations": (*good.get("activations", ()), *part.get("activations", ()))}
            )
    return SiteCdp.model_validate(good)


def pieces(written: dict[str, Any]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Where each piece stands, and the part as if it were alone: a key, a kind of rows, an activation."""
    for key, value in written.items():
        if key == "data_export" and isinstance(value, dict):
            for kind, export in value.items():
                yield [key, str(kind)], {key: {kind: export}}
        elif key == "activations" and isinstance(value, list):
            for number, one in enumerate(value):
                yield [key, str(number)], {key: [one]}
        elif value is not None:
            yield [key], {key: value}


def todays(name: str, written: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """The part under today's names; ``notes`` gets a sentence for each old one."""
    values = dict(written)
    if OLD_STREAM in values:
        old = values.pop(OLD_STREAM)
        notes.append(
            f"cdp.{OLD_STREAM} of site {name!r} is the old name of data_export.user_data.stream_file"
        )
        given = {"user_data": {"stream_file": old}}
        exports = values.get("data_export")
        values["data_export"] = given | exports if isinstance(exports, dict) else given
    if isinstance(values.get("activations"), dict):
        notes.append(f"cdp.activations of site {name!r} holds one activation and is a list today")
    return values


def activations_of(sites: dict[str, SiteCdp], faults: list[str]) -> dict[str, Activation]:
    activations: dict[str, Activation] = {}
    for name, site in sites.items():
        for one in site.activations:
            if activations.setdefault(one.client_id, one) != one:
                faults.append(
                    f"cdp of site {name!r}: another activation has the client id {one.client_id!r}."
                )
    return activations


def shared_streams(sites: dict[str, SiteCdp]) -> Iterator[str]:
    """A sentence for each stream that two kinds of rows go to: a dataflow has one mapping."""
    users: dict[str, tuple[str, Kind]] = {}
    for name, site in sites.items():
        for kind in KINDS:
            if stream := site.stream_of(kind):
                other, first = users.setdefault(stream, (name, kind))
                if first != kind:
                    yield (
                        f"cdp.data_export of site {name!r}: {kind}_data has the stream id of {first}_data of"
                        f" site {other!r}; each kind of rows needs a stream of its own."
                    )


def schedule_of(file: SitesFile, faults: list[str]) -> Iterator[Scheduled]:
    """The entries that can run, in file order."""
    for root, values in file.cdp.items():
        for section, entries in below(below(values, "data_export"), "schedule").items():
            place = f"{root}.data_export.schedule.{str(section)[:80]}"
            kind = next((one for one in KINDS if one == section), None)
            if kind is None:
                hint = did_you_mean(str(section)[:80], list(KINDS))
                faults.append(f"{place} is not a known key.{hint}")
            elif not isinstance(entries, list | None):
                faults.append(f"{place} must be a list of entries with interval and options.")
            else:
                yield from entries_of(kind, entries or [], place, faults)


def entries_of(kind: Kind, entries: list[Any], place: str, faults: list[str]) -> Iterator[Scheduled]:
    for number, entry in enumerate(entries):
        try:
            yield scheduled(kind, entry, place=f"{place}[{number}]")
        except ValueError as fault:
            faults.append(f"{place}[{number}]{fault}.")


def scheduled(section: Kind, entry: Any, *, place: str) -> Scheduled:
    """Raises ValueError with the rest of a sentence behind the place."""
    if not isinstance(entry, dict) or not set(entry) <= {"interval", "options"}:
        raise ValueError(" must hold interval and options and nothing else")
    interval, options = entry.get("interval"), entry.get("options") or ""
    if not isinstance(interval, str):
        raise ValueError(f".interval must be a crontab expression in quotes; got {str(interval)[:80]!r}")
    try:
        options = resolve(options)
        due = cron.parse(interval)
    except cron.BadCron as rule:
        raise ValueError(f".interval {rule}") from None
    except BadPlaceholder as fault:
        raise ValueError(f".options: {fault}") from None
    if not isinstance(options, str):
        raise ValueError(".options must be the options of the command as one text")
    return Scheduled(section=section, interval=interval, cron=due, options=options, place=place)


def below(values: Any, key: str) -> dict[str, Any]:
    found = values.get(key) if isinstance(values, dict) else None
    return found if isinstance(found, dict) else {}


def accounts_of(file: SitesFile, sites: dict[str, SiteCdp]) -> dict[int, tuple[str, ...]]:
    """Account -> the customers of its sites, in file order; a site without an engine has none."""
    customers = {site.name: str(site.customer_id) for site in file.sites}
    found: dict[int, list[str]] = {}
    for name, site in sites.items():
        if site.account_number is not None:
            of = found.setdefault(site.account_number, [])
            of.extend(one for one in [customers.get(name)] if one and one not in of)
    return {number: tuple(of) for number, of in found.items()}


def threshold_of(file: SitesFile) -> tuple[int, list[str]]:
    for root, values in file.cdp.items():
        value = values.get("bulk_async_threshold") if isinstance(values, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value, []
        if value is not None:
            return THRESHOLD, [
                f"{root}.bulk_async_threshold must be a whole number from 1 on; got {str(value)[:80]!r}, so"
                f" {THRESHOLD} is used."
            ]
    return THRESHOLD, []


def sentence(name: str, place: list[str], error: ValidationError) -> str:
    """The first fault. What was written may be a secret and stands in it only where the rule says so."""
    fault = error.errors(include_url=False, include_input=False)[0]
    path = [*place, *(str(part) for part in fault["loc"][len(place) :])]
    key = f"cdp.{'.'.join(path)[:200]} of site {name!r}"
    if fault["type"] == "extra_forbidden":
        beside: type[BaseModel] = next((MODELS[one] for one in reversed(path[:-1]) if one in MODELS), SiteCdp)
        return f"{key} is not a known key.{did_you_mean(path[-1], list(beside.model_fields))}"
    rule = fault["msg"].removeprefix("Value error, ")
    return f"{key}: {rule}."


def filled_groups() -> set[str]:
    """The identifiers of the segment groups that activations fill."""
    return {one.segment_group_identifier for one in current().activations.values()}
