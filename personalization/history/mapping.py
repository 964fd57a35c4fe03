"""Which column of a file feeds which field of an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from tracking.events import RULES, SPELLINGS, Shape

REQUIRED = ("user", "item", "ts")
FIELDS = (*REQUIRED, "quantity", "price", "currency", "category", "percentage", "rating", "event", "title")
# A file says of an event what the fields say; the others need more than that.
EVENTS = tuple(
    code
    for code, rule in RULES.items()
    if rule.shape is Shape.ITEM and {parameter.column for parameter in rule.required} <= {"rating"}
)


class BadMapping(ValueError):
    """The mapping does not fit the file; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """Field of an event -> column of the file, checked against the file's columns."""

    columns: dict[str, str]

    @classmethod
    def parse(cls, pairs: Sequence[str], *, available: Sequence[str]) -> Mapping:
        """Read ``field=Column`` pairs (also comma-separated).

        Raises BadMapping for unknown fields and columns, for a field given twice, for a column that the file
        has twice, and when one of :data:`REQUIRED` is missing.
        """
        columns: dict[str, str] = {}
        for name, column in split(pairs, option="--map", form="field=Column", whole=available):
            if name in columns:
                raise BadMapping(f"--map names the field {name!r} twice.")
            columns[known(name, FIELDS, "field")] = known(column, available, "column")
            if available.count(column) > 1:
                raise BadMapping(f"The file has the column {column!r} {available.count(column)} times.")
        for name in REQUIRED:
            if name not in columns:
                raise BadMapping(
                    f"--map does not say which column holds {name!r}; columns: {', '.join(available)}."
                )
        return cls(columns=columns)


def event_names(pairs: Sequence[str]) -> dict[str, str]:
    """Word of the file -> event code, from ``word=event`` pairs. Raises :class:`BadMapping`."""
    return {
        word: event_code(code, option="--event-map")
        for word, code in split(pairs, option="--event-map", form="word=event")
    }


def event_code(name: str, *, option: str) -> str:
    """The code of an event or of its alias. Raises :class:`BadMapping` with "did you mean"."""
    code = SPELLINGS[name].code if name in SPELLINGS else name
    if code in RULES and code not in EVENTS:
        raise BadMapping(f"{option}: {code} cannot be imported, only {', '.join(EVENTS)}.")
    try:
        return known(code, EVENTS, "event")
    except BadMapping as unknown:
        raise BadMapping(f"{option}: {str(unknown)[0].lower()}{str(unknown)[1:]}") from None


def split(
    texts: Sequence[str], *, option: str, form: str, whole: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """The two sides of each pair. A text whose right side is in ``whole`` is one pair, commas and all."""
    pairs = []
    for given in texts:
        one = given.partition("=")[2].strip() in whole
        for pair in [given] if one else given.split(","):
            left, separator, right = (side.strip() for side in pair.partition("="))
            if not (left and separator and right):
                raise BadMapping(f"{option} takes {form}; got {pair.strip()!r}.")
            pairs.append((left, right))
    return pairs


def known(name: str, allowed: Sequence[str], what: str) -> str:
    if name in allowed:
        return name
    lower = {one.lower(): one for one in reversed(allowed)}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    hint = f" Did you mean {lower[close[0]]!r}?" if close else f" Known: {', '.join(allowed)}."
    raise BadMapping(f"There is no {what} {name!r}.{hint}")
