"""What a check compares, as SQL: attributes of profiles and properties of events.

Amounts and numbers are whole ten-thousandths everywhere. A value that is empty (`cdp.md` 2.4: null, blank
text, empty list) is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cdp.audiences.compile.dialects import BLANKS, Dialect, Parameters
from cdp.audiences.conditions.properties import PROPERTIES

AMOUNTS = ("price", "subtotal")  # columns of ten-thousandths already
NOTHING = "NULL"


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What a statement is for: an account at a moment, or ``only`` one profile of it."""

    dialect: Dialect
    parameters: Parameters
    account: int
    as_of: datetime
    zone: ZoneInfo
    only: int | None = None

    def filled(self, text: str) -> str:
        return self.dialect.filled(text, self.parameters(BLANKS))


@dataclass(frozen=True, kw_only=True)
class Value:
    """SQL of one value as each kind that it may be, NULL where it is none of that kind."""

    exists: str  # whether it is not missing
    text: str = NOTHING
    raw: str = NOTHING  # its text if ``is_text``, else whatever; that is asked last, of few rows
    is_text: str = "TRUE"
    number: str = NOTHING  # in ten-thousandths
    numeric: str = NOTHING  # the same, and of texts that are numbers
    truth: str = NOTHING
    items: str | None = None  # FROM of its texts, each as ``item``
    path: str | None = None  # a list as "/c1/c11/"
    moment: str | None = None  # microseconds since 1970
    times: str | None = None  # the number is so many times what is compared


def attribute(asking: Asking, name: str) -> Value:
    return of_json(asking, "p.attributes", name)


def of_json(asking: Asking, document: str, name: str) -> Value:
    found = asking.dialect.of_json(document, asking.parameters(name))
    text = asking.filled(f"({found.text})")
    return Value(
        exists=(
            f"(({text}) IS NOT NULL OR ({found.number}) IS NOT NULL OR ({found.truth}) IS NOT NULL"
            f" OR COALESCE({found.is_filled_list}, FALSE))"
        ),
        text=f"({text})",
        raw=f"({found.raw})",
        is_text=f"({found.is_text})",
        number=f"({found.number})",
        numeric=f"COALESCE({found.number}, {asking.dialect.units(f'({found.text})')})",
        truth=f"({found.truth})",
        items=found.items,
    )


def property_of(asking: Asking, name: str) -> Value:
    """Of the event in row ``i``."""
    match PROPERTIES.get(name):
        case "text":
            text = f"({asking.filled(f'i.{name}')})"
            return Value(exists=f"{text} IS NOT NULL", text=text, raw=f"i.{name}")
        case "number":
            column = f"i.{name}" if name in AMOUNTS else f"CAST(i.{name} AS BIGINT) * 10000"
            return number(column)
        case "array":
            return Value(exists=f"i.{name} <> ''", path=f"i.{name}")
    return of_json(asking, "i.props", name)


def number(sql: str, *, times: str | None = None) -> Value:
    return Value(exists=f"{sql} IS NOT NULL", number=sql, numeric=sql, times=times)


def moment(sql: str) -> Value:
    return Value(exists=f"{sql} IS NOT NULL", moment=sql)


def text(sql: str) -> Value:
    return Value(exists=f"{sql} IS NOT NULL", text=sql, raw=sql)
