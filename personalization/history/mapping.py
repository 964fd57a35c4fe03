"""Which column of a file feeds which field of an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from tracking.events import RULES, SPELLINGS, Shape

REQUIRED = ("user", "ts")
# Read as the parameter of the same name is read in a request.
PASSED = ("scenario", "modelid", "requestuuid", "triggername", "orderid", "lang", "segments", "eventid")
MEASURES = ("quantity", "price", "currency", "category", "percentage", "rating")
FIELDS = (*REQUIRED, "item", *MEASURES, "event", "title", "target", *PASSED)
PEOPLE = ("user", "target")
EVENTS = tuple(RULES)


def needs_item(code: str) -> bool:
    return RULES[code].shape in (Shape.ITEM, Shape.ITEMS)


def needs(code: str) -> tuple[str, ...]:
    """The fields without which a row is no event of this kind, besides user and time."""
    rule = RULES[code]
    what = ("target",) if rule.shape is Shape.LOGIN else ("item",) if needs_item(code) else ()
    return (*what, *(parameter.name for parameter in rule.required))


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
        has twice, and when one of :data:`REQUIRED` is missing. What else an event needs: ``Options.fit``.
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
    try:
        return SPELLINGS[known(name, tuple(SPELLINGS), "event")].code
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
