"""The options of commands that say who may send a customer's events."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandError

from config.customers.gates import BadGate, GateRules, origins_of


def add(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--events-per-second",
        metavar="N",
        help="budget of events; 0 is no limit, 'default' the usual one (50000)",
    )
    parser.add_argument(
        "--require-license-key",
        action=BooleanOptionalAction,
        help="take events only with customer id and license key; for events that come from servers",
    )
    parser.add_argument(
        "--require-consent",
        action=BooleanOptionalAction,
        help="link only events with consent=1 to their sender; others are stored as a count",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        metavar="ORIGIN",
        help="take browsers' events only from pages of this origin such as https://www.example.org; may be "
        "repeated, replaces the origins before; an empty one allows every page",
    )


def rules(options: dict[str, Any], *, before: GateRules) -> GateRules:
    """The rules after the options; what is not given stays. Raises CommandError with exit code 2."""
    names = ("events_per_second", "require_license_key", "allow_origin", "require_consent")
    budget, key, origins, consent = (options[name] for name in names)
    try:
        return GateRules(
            events_per_second=before.events_per_second if budget is None else number(budget),
            needs_license_key=before.needs_license_key if key is None else key,
            origins=before.origins if origins is None else origins_of(origins),
            needs_consent=before.needs_consent if consent is None else consent,
        )
    except BadGate as reason:
        raise CommandError(str(reason), returncode=2) from None


def number(word: str) -> int | None:
    if word == "default":
        return None
    if not (word.isascii() and word.isdigit()) or len(word) > 12:
        raise BadGate(f"--events-per-second must be a whole number or 'default'; got {word[:80]!r}.")
    return int(word)
