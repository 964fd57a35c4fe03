"""What SQLite and PostgreSQL spell differently. Arguments and answers are SQL, unless said otherwise."""

# ruff: noqa: S608 - what comes from people is a parameter
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from django.db import connection

from cdp.audiences.compile.functions import DAY, NUMBER, TIME
from cdp.audiences.conditions.pattern import for_postgresql, parsed

# What counts as blank: what Python's str.strip takes away.
BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())

KELVIN = "\u212a"  # the one character outside of ASCII whose small letter is in it


class Parameters:
    """Values of a statement under names; equal ones are one."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.names: dict[tuple[type, object], str] = {}

    def __call__(self, value: object) -> str:
        name = self.names.setdefault((type(value), value), f"p{len(self.names)}")
        self.values[name] = value
        return f"%({name})s"


class Dialect(Protocol):
    # Of the rows with a column per leaf: SQLite would ask each leaf again wherever it is named.
    once: str

    def fold(self, text: str) -> str: ...
    def fold_ascii(self, text: str) -> str:
        """The same for texts that are to equal one of ASCII: far cheaper."""

    def filled(self, text: str, blanks: str) -> str:
        """The text, NULL if it is blank."""

    def of_json(self, document: str, key: str) -> JsonSql: ...
    def units(self, text: str) -> str:
        """A text that is a number, in ten-thousandths."""

    def iso(self, text: str) -> str:
        """1 for a date, 2 for a date-time."""

    def month_day(self, text: str, zone: str) -> str: ...
    def part(self, path: str, place: int) -> str: ...
    def position(self, text: str, piece: str) -> str: ...
    def end(self, text: str, piece: str) -> str:
        """As much of its end as the piece is long."""

    def found(self, text: str, pattern: str, parameters: Parameters, *, case: bool) -> str: ...
    def bytewise(self, text: str) -> str:
        """The text, compared by its bytes."""

    def sorted(self, column: str) -> str:
        """The column to group by, when its rows are to be found by what they are and sorted then."""

    def member(self, people: str, name: str) -> tuple[str, str]:
        """Whether profile `p` is one of those that the statement selects, and what joins it for that."""

    def none_of(self, people: str) -> str:
        """Whether profile `p` is none of them."""

    def some(self, key: str, where: str) -> str:
        """Keys of a few rows as a text with commas, NULL for none; the last may be cut off."""


@dataclass(frozen=True)
class JsonSql:
    """What stands under a key: its ``text``, ``number`` in ten-thousandths, ``truth``; each NULL if it is of
    another kind. ``raw``: whatever it is as a text, and whether it ``is_text``. ``items``: FROM of the texts
    ``item`` of a list; ``is_filled_list``."""

    text: str
    raw: str
    is_text: str
    number: str
    truth: str
    items: str
    is_filled_list: str


class SQLite:
    once = "MATERIALIZED"

    def fold(self, text: str) -> str:
        return f"lodestar_fold({text})"

    def fold_ascii(self, text: str) -> str:
        return f"lower(replace({text}, '{KELVIN}', 'k'))"

    def filled(self, text: str, blanks: str) -> str:
        return f"CASE WHEN trim({text}, {blanks}) <> '' THEN {text} END"

    def of_json(self, document: str, key: str) -> JsonSql:
        path = f"'$.\"' || {key} || '\"'"
        kind, value = f"json_type({document}, {path})", f"json_extract({document}, {path})"
        return JsonSql(
            text=f"CASE {kind} WHEN 'text' THEN {value} END",
            raw=value,
            is_text=f"{kind} = 'text'",
            number=(
                f"CASE {kind} WHEN 'integer' THEN {value} * 10000"
                f" WHEN 'real' THEN CAST(ROUND({value} * 10000) AS INTEGER) END"
            ),
            truth=f"CASE {kind} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END",
            items=(
                f"(SELECT value AS item FROM json_each(CASE {kind} WHEN 'array' THEN {value} ELSE '[]' END)"
                " WHERE type = 'text')"
            ),
            is_filled_list=f"({kind} IN ('array', 'object') AND {value} NOT IN ('[]', '{{}}'))",
        )

    def units(self, text: str) -> str:
        return f"lodestar_units({text})"

    def iso(self, text: str) -> str:
        return f"lodestar_iso({text})"

    def month_day(self, text: str, zone: str) -> str:
        return f"lodestar_month_day({text}, {zone})"

    def part(self, path: str, place: int) -> str:
        return f"lodestar_part({path}, {place})"

    def position(self, text: str, piece: str) -> str:
        return f"instr({text}, {piece})"

    def end(self, text: str, piece: str) -> str:
        return f"substr({text}, -length({piece}))"

    def found(self, text: str, pattern: str, parameters: Parameters, *, case: bool) -> str:
        return f"lodestar_found({text}, {parameters(pattern)}, {int(case)})"

    def bytewise(self, text: str) -> str:
        return text

    def sorted(self, column: str) -> str:
        # Else SQLite reads all that anybody of any account ever did, because it is in this order already.
        return f"+{column}"

    def member(self, people: str, name: str) -> tuple[str, str]:
        return f"p.id IN ({people})", ""

    def none_of(self, people: str) -> str:
        return f"p.id NOT IN ({people})"

    def some(self, key: str, where: str) -> str:
        return (
            f"SUBSTR(GROUP_CONCAT({key}) FILTER (WHERE {where}), 1, 120)"  # five of the longest, and a part
        )


class PostgreSQL:
    once = ""

    def fold(self, text: str) -> str:
        # Of the database's own locale, often C, only ASCII would be sure; a final sigma is a sigma.
        return f"""replace(lower({text} COLLATE "und-x-icu"), 'ς', 'σ')"""

    def fold_ascii(self, text: str) -> str:
        return f"lower(replace({text}, '{KELVIN}', 'k') COLLATE \"C\")"

    def filled(self, text: str, blanks: str) -> str:
        return f"CASE WHEN btrim({text}, {blanks}) <> '' THEN {text} END"

    def of_json(self, document: str, key: str) -> JsonSql:
        value, text = f"({document} -> {key}::text)", f"({document} ->> {key}::text)"
        kind = f"jsonb_typeof({value})"
        return JsonSql(
            text=f"CASE {kind} WHEN 'string' THEN {text} END",
            raw=text,
            is_text=f"{kind} = 'string'",
            number=f"CASE {kind} WHEN 'number' THEN round({text}::numeric * 10000) END",
            truth=f"CASE {kind} WHEN 'boolean' THEN {text}::boolean END",
            items=(
                f"(SELECT e.value #>> '{{}}' AS item"
                f" FROM jsonb_array_elements(CASE {kind} WHEN 'array' THEN {value} ELSE '[]' END) e"
                " WHERE jsonb_typeof(e.value) = 'string') items"
            ),
            is_filled_list=f"({kind} IN ('array', 'object') AND {value} NOT IN ('[]', '{{}}'))",
        )

    def units(self, text: str) -> str:
        return f"CASE WHEN {text} ~ '^{NUMBER}$' THEN {text}::numeric * 10000 END"

    def iso(self, text: str) -> str:
        return f"CASE WHEN {text} ~ '^(?:{DAY})$' THEN 1 WHEN {text} ~ '^(?:{DAY}){TIME}$' THEN 2 END"

    def month_day(self, text: str, zone: str) -> str:
        there = f"to_char({text}::timestamptz AT TIME ZONE {zone}, 'MM-DD')"
        return f"CASE {self.iso(text)} WHEN 1 THEN substr({text}, 6, 5) WHEN 2 THEN {there} END"

    def part(self, path: str, place: int) -> str:
        return f"split_part({path}, '/', {place})"

    def position(self, text: str, piece: str) -> str:
        return f"strpos({text}, {piece})"

    def end(self, text: str, piece: str) -> str:
        return f"right({text}, length({piece}))"

    def found(self, text: str, pattern: str, parameters: Parameters, *, case: bool) -> str:
        return f"{text} ~ {parameters(for_postgresql(parsed(pattern, case=case)))}"

    def bytewise(self, text: str) -> str:
        return f'{text} COLLATE "C"'

    def sorted(self, column: str) -> str:
        return column

    def member(self, people: str, name: str) -> tuple[str, str]:
        # Joined, it is hashed or merged whatever its size; IN within an expression is asked row by row as
        # soon as its people are more than work_mem holds.
        joined = f" LEFT JOIN ({people}) {name}_of(profile_id) ON {name}_of.profile_id = p.id"
        return f"{name}_of.profile_id IS NOT NULL", joined

    def none_of(self, people: str) -> str:
        return f"NOT EXISTS (SELECT 1 FROM ({people}) none_of(profile_id) WHERE none_of.profile_id = p.id)"

    def some(self, key: str, where: str) -> str:
        return f"ARRAY_TO_STRING((ARRAY_AGG({key}) FILTER (WHERE {where}))[1:6], ',')"


def dialect() -> Dialect:
    return PostgreSQL() if connection.vendor == "postgresql" else SQLite()
