"""Columns of a sample: their names, types, examples and counts (reference `cdp.md` 2.2 stage 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from django.utils.translation import gettext

from cdp.dataflows.configuration import COLUMN_NAME, MOST_COLUMNS, Column, Type
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.values import BadValue, Reading, infer, is_empty, read_as

EXAMPLES, LONGEST_EXAMPLE = 5, 80
TYPES: tuple[str, ...] = get_args(Type)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the whole sample says of a column."""

    source: str
    type: str
    hint: str
    examples: tuple[str, ...]
    empty: int
    distinct: int
    rows: int

    @property
    def may_be_mandatory(self) -> bool:
        return self.empty == 0 and self.rows > 0


def survey(rows: Sequence[Mapping[str, Any]], reading: Reading) -> list[Found]:
    """Every column of a sample, in the order in which they first come."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(names) > MOST_COLUMNS:
        raise DataflowFault(
            "too_many_columns",
            gettext("At most %(most)s columns are taken; got %(count)s.")
            % {"most": MOST_COLUMNS, "count": len(names)},
        )
    return [column(name, [row.get(name) for row in rows], reading) for name in names]


def column(source: str, values: Sequence[Any], reading: Reading) -> Found:
    kind, hint = infer(values, reading)
    full = list(dict.fromkeys(shown(value) for value in values if not is_empty(value)))
    return Found(
        source=source,
        type=kind,
        hint=hint,
        examples=tuple(full[:EXAMPLES]),
        empty=sum(is_empty(value) for value in values),
        distinct=len(full),
        rows=len(values),
    )


def shown(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_EXAMPLE else text[: LONGEST_EXAMPLE - 1] + "…"


def proposed(found: Sequence[Found], earlier: Sequence[Column]) -> tuple[Column, ...]:
    """A column for each that was found; what somebody set before stays where it still may."""
    known = {one.source: one for one in earlier}
    taken: set[str] = set()
    return tuple(propose(one, known.get(one.source), taken) for one in found)


def propose(found: Found, before: Column | None, taken: set[str]) -> Column:
    name = unique(before.name if before else clean(found.source), taken)
    taken.add(name.lower())
    return Column(
        source=found.source,
        name=name,
        type=found.type,
        hint=found.hint,
        mandatory=bool(before and before.mandatory and found.may_be_mandatory),
        included=before.included if before else True,
    )


def clean(source: str) -> str:
    """A name that may be one, as near to the source's as can be."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", source.strip())[:64].strip("_") or "column"
    return name if COLUMN_NAME.match(name) else f"_{name}"[:64]


def unique(name: str, taken: set[str]) -> str:
    found, number = name, 2
    while found.lower() in taken:
        found = f"{name[:60]}_{number}"
        number += 1
    return found


def check(
    columns: Sequence[Column],
    found: Sequence[Found],
    rows: Sequence[Mapping[str, Any]],
    reading: Reading,
) -> None:
    """Whether somebody's changes to the columns may be. Raises :class:`DataflowFault`."""
    known = {one.source: one for one in found}
    taken: set[str] = set()
    for one in columns:
        if one.source not in known:
            raise DataflowFault(
                "unknown_column",
                gettext("The sample has no column %(source)r.") % {"source": one.source[:80]},
            )
        check_name(one, taken)
        taken.add(one.name.lower())
        if one.mandatory and not known[one.source].may_be_mandatory:
            raise DataflowFault(
                "mandatory_not_available",
                gettext("%(name)s has empty values in the sample, so it cannot be mandatory.")
                % {"name": one.name},
                field=one.source,
            )
        if one.type != known[one.source].type:
            check_type(one, rows, reading)


def check_name(one: Column, taken: set[str]) -> None:
    if not COLUMN_NAME.match(one.name):
        raise DataflowFault(
            "bad_name",
            gettext("A name has 1 to 64 letters, digits and _ and does not begin with a digit; got %(name)r.")
            % {"name": one.name[:80]},
            field=one.source,
        )
    if one.name.lower() in taken:
        raise DataflowFault(
            "duplicate_column",
            gettext("Two columns would be called %(name)r.") % {"name": one.name},
            field=one.source,
        )


def check_type(one: Column, rows: Sequence[Mapping[str, Any]], reading: Reading) -> None:
    for number, row in enumerate(rows):
        try:
            read_as(row.get(one.source), one.type, reading)
        except BadValue as fault:
            raise DataflowFault(
                "incompatible_type",
                gettext("%(name)s cannot be %(type)s: row %(number)s has %(value)r, which is %(fault)s.")
                % {
                    "name": one.name,
                    "type": one.type,
                    "number": number + 1,
                    "value": shown(row.get(one.source)),
                    "fault": gettext(str(fault)),
                },
                field=one.source,
            ) from None
