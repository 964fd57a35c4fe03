"""Which column of a file feeds which field of an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

REQUIRED = ("user", "item", "ts")
FIELDS = (*REQUIRED, "quantity", "price", "currency", "category", "percentage", "rating", "event", "title")


class BadMapping(ValueError):
    """The mapping does not fit the file; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """Field of an event -> column of the file, checked against the file's columns."""

    columns: dict[str, str]

    @classmethod
    def parse(cls, pairs: Sequence[str], *, available: Sequence[str]) -> Mapping:
        """Read ``field=Column`` pairs (also comma-separated).

        Raises BadMapping for unknown fields and columns, for a field given twice, and when one of
        :data:`REQUIRED` is missing.
        """
        columns: dict[str, str] = {}
        for pair in (part.strip() for text in pairs for part in text.split(",")):
            name, separator, column = pair.partition("=")
            if not separator:
                raise BadMapping(f"--map takes field=Column; got {pair!r}.")
            if name in columns:
                raise BadMapping(f"--map names the field {name!r} twice.")
            columns[known(name, FIELDS, "field")] = known(column, available, "column")
        for name in REQUIRED:
            if name not in columns:
                raise BadMapping(
                    f"--map does not say which column holds {name!r}; columns: {', '.join(available)}."
                )
        return cls(columns=columns)


def known(name: str, allowed: Sequence[str], what: str) -> str:
    if name in allowed:
        return name
    close = get_close_matches(name, allowed, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(allowed)}."
    raise BadMapping(f"There is no {what} {name!r}.{hint}")
