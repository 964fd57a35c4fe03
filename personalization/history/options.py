"""What a file is about, as far as its columns do not say, checked before anything is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from difflib import get_close_matches
from typing import Any

from config import languages
from personalization.history.mapping import BadMapping, Mapping, event_code, event_names, needs
from personalization.history.times import BadTime, zone_of
from personalization.history.times import time_format as form_of
from personalization.server.models import StoredItem
from tracking.currencies import CURRENCIES

MAX_ITEM_TYPE = 2_147_483_647
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


class BadOption(ValueError):
    """An option that cannot be; the message says what can."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one import."""

    customer_id: str
    event: str = "buy"
    event_names: dict[str, str] = field(default_factory=dict)
    item_type: int = 40
    type_identifier: str = "product"
    currency: str = ""
    language: str = ""
    time_zone: tzinfo = UTC
    time_format: str = ""
    decimal: str = "."
    mint_ids: bool = False
    dry_run: bool = False
    alphanumeric: bool = False

    @classmethod
    def checked(
        cls,
        *,
        event_map: Sequence[str] = (),
        time_zone: str = "UTC",
        time_format: str = "",
        decimal: str = ".",
        **given: Any,
    ) -> Options:
        """Raises :class:`BadOption`."""
        try:
            return cls(
                **given
                | {
                    "event": event_code(given["event"], option="--event"),
                    "event_names": event_names(event_map),
                    "item_type": item_type(given["item_type"]),
                    "type_identifier": identifier(given["type_identifier"]),
                    "currency": currency(given["currency"]),
                    "language": language(given["language"]),
                    "time_zone": zone_of(time_zone),
                    "time_format": form_of(time_format),
                    "decimal": decimal_mark(decimal),
                }
            )
        except (BadMapping, BadTime) as wrong:
            raise BadOption(str(wrong)) from wrong

    def fit(self, mapping: Mapping) -> None:
        """Raises :class:`BadOption` where the columns lack what these options ask for, or have more."""
        columns = mapping.columns
        if "price" in columns and not (self.currency or "currency" in columns):
            raise BadOption("The prices have no currency: add --currency EUR, or currency=Column to --map.")
        if self.event_names and "event" not in columns:
            raise BadOption("--event-map needs the column with its words: add event=Column to --map.")
        # Rows that say themselves what they are may be about items, whatever the others are.
        wanted = needs(self.event) if "event" not in columns else ("item",)
        for name in wanted:
            if name not in columns:
                raise BadOption(
                    f"--map does not say which column holds {name!r}, which "
                    f"{self.event if 'event' not in columns else 'an event of an item'} needs: "
                    f"add {name}=Column."
                )
        self.agree_with_items()

    def agree_with_items(self) -> None:
        """One item type has one identifier, or the items of an import would be of another kind."""
        items = StoredItem.objects.filter(customer_id=self.customer_id, item_type=self.item_type)
        names = sorted(set(items.exclude(type_identifier="").values_list("type_identifier", flat=True)))
        if names and self.type_identifier not in names:
            raise BadOption(
                f"--type-identifier: items of the type {self.item_type} are {' and '.join(names)} "
                f"for customer {self.customer_id}, not {self.type_identifier!r}. "
                "Name that, or another --item-type."
            )


def item_type(number: int) -> int:
    if not 1 <= number <= MAX_ITEM_TYPE:
        raise BadOption(f"--item-type takes a number from 1 to {MAX_ITEM_TYPE}; got {number}.")
    return number


def identifier(name: str) -> str:
    if not IDENTIFIER.fullmatch(name):
        raise BadOption(
            f"--type-identifier takes 1 to 64 letters, digits, hyphens and underscores; got {name[:80]!r}."
        )
    return name


def decimal_mark(mark: str) -> str:
    if mark not in (".", ","):
        raise BadOption(f"--decimal takes a point or a comma; got {mark[:20]!r}.")
    return mark


def currency(code: str) -> str:
    if not code or code in CURRENCIES:
        return code
    if code.upper() in CURRENCIES:
        raise BadOption(f"--currency is written in capitals: {code.upper()}; got {code!r}.")
    raise BadOption(f"--currency: there is no currency {code[:20]!r} in ISO 4217.{meant(code[:20].upper())}")


def meant(code: str) -> str:
    """The currency of the same letters, or one that is spelt nearly so, as a question."""
    swapped = [one for one in sorted(CURRENCIES) if sorted(one) == sorted(code)]
    close = swapped or get_close_matches(code, sorted(CURRENCIES), n=1, cutoff=0.8)
    return f" Did you mean {close[0]!r}?" if close else " Codes are like EUR."


def language(code: str) -> str:
    """The code as the wire has it; "en" is eng-GB."""
    if not code:
        return ""
    try:
        wire = languages.to_protocol_language(code)
        languages.from_protocol_language(wire)
    except languages.UnknownLanguage as unknown:
        raise BadOption(f"--language: {unknown}") from unknown
    return wire
