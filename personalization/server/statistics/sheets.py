"""A report as a workbook (XLSX)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook

from config.spreadsheets import neutral
from personalization.server.statistics.report import Line, Report, rounded

NONE = Decimal(0)
Rows = Iterable[Sequence[Any]]


def workbook(found: Report) -> bytes:
    """Sheets for events, scenarios, models, revenue, popular items and purchases."""
    book = Workbook(write_only=True)
    for title, rows in sheets(found).items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append([cell(value) for value in row])
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def cell(value: Any) -> Any:
    """Excel knows no time zones; and what visitors sent must never run as a formula."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return neutral(value) if isinstance(value, str) else value


def sheets(found: Report) -> dict[str, Rows]:
    return {
        "Events": events(found),
        "Scenarios": table("Scenario", found.scenarios),
        "Models": table("Model", found.models),
        "Revenue": revenue(found),
        "Popular items": of_dicts(found.popular),
        "Purchases": of_dicts(found.details),
    }


def events(found: Report) -> Rows:
    codes = list(found.events)
    yield ["From (UTC)", "Calls", *codes, f"Revenue ({found.revenue.currency})"]
    for number, begin in enumerate(found.span.slices()):
        counts = [found.events[code][number] for code in codes]
        yield [begin, found.calls[number], *counts, rounded(found.revenue.slices.get(number, NONE))]


def table(name: str, lines: dict[str, Line]) -> Rows:
    yield [name, "Calls", "Delivered", "Followed", "Conversion", "Revenue"]
    for key, line in lines.items():
        yield [key, line.calls, line.delivered, line.followed, line.conversion, rounded(line.revenue)]


def revenue(found: Report) -> Rows:
    sold = found.revenue
    yield ["Currency", sold.currency]
    yield ["Revenue", rounded(sold.total)]
    yield ["Through recommendations", rounded(sold.recommended)]
    yield ["Pieces", sold.pieces]
    yield ["Pieces through recommendations", sold.pieces_recommended]
    for currency, amount in sold.missing.items():
        yield [f"Not included for want of a rate: {currency}", rounded(amount)]


def of_dicts(rows: list[dict[str, Any]]) -> Rows:
    if rows:
        yield list(rows[0])
    for row in rows:
        yield list(row.values())
