"""``manage.py statistics``: events, calls, conversion and revenue of a customer."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.customers import directory
from personalization.server.statistics import sheets
from personalization.server.statistics.report import Line, Report, report, rounded
from personalization.server.statistics.spans import PRESETS, Span, WrongSpan, custom, preset

WRONG_USE = 2


class Command(BaseCommand):
    help = "Show what recommendations were asked for, shown and followed, and what they sold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", required=True, metavar="N", help="customer of the embedded engine")
        parser.add_argument(
            "--range", choices=PRESETS, default="day", help="the last day (default), week, ..."
        )
        parser.add_argument("--from", dest="begin", metavar="TIME", help="2026-01-31 or 2026-01-31T08:00")
        parser.add_argument("--to", dest="end", metavar="TIME", help="the same; default now")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--xlsx", type=Path, metavar="FILE", help="write the report as a workbook")

    def handle(self, *_args: Any, **options: Any) -> None:
        if directory.find(options["customer"]) is None:
            raise CommandError(f"The customer {options['customer'][:64]!r} is unknown.", returncode=WRONG_USE)
        found = report(options["customer"], span_of(options))
        if options["xlsx"]:
            save(options["xlsx"], sheets.workbook(found))
        if options["json"]:
            self.stdout.write(orjson.dumps(document(found), default=str).decode())
        else:
            self.stdout.write("\n".join(lines(found)))


def save(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as fault:
        temporary.unlink(missing_ok=True)
        raise CommandError(f"{path} cannot be written: {fault.strerror}.") from None


def span_of(options: dict[str, Any]) -> Span:
    try:
        if options["begin"] is None and options["end"] is None:
            return preset(options["range"], now=timezone.now())
        end = moment(options["end"]) if options["end"] else timezone.now()
        if options["begin"] is None:
            raise WrongSpan("--to needs a --from.")
        return custom(moment(options["begin"]), end)
    except WrongSpan as fault:
        raise CommandError(str(fault), returncode=WRONG_USE) from None


def moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise WrongSpan(f"A time looks like 2026-01-31 or 2026-01-31T08:00; got {text[:40]!r}.") from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))


def document(found: Report) -> dict[str, Any]:
    sold = found.revenue
    return {
        "customer": found.customer_id,
        "from": found.span.begin.isoformat(),
        "to": found.span.end.isoformat(),
        "slice_seconds": int(found.span.slice.total_seconds()),
        "events": found.events,
        "calls": found.calls,
        "users": found.users,
        "items": found.items,
        "total": of_line(found.total),
        "scenarios": {name: of_line(line) for name, line in found.scenarios.items()},
        "models": {name: of_line(line) for name, line in found.models.items()},
        "revenue": {
            "currency": sold.currency,
            "total": str(rounded(sold.total)),
            "recommended": str(rounded(sold.recommended)),
            "pieces": sold.pieces,
            "pieces_recommended": sold.pieces_recommended,
            "not_included": {currency: str(rounded(amount)) for currency, amount in sold.missing.items()},
        },
        "popular": found.popular,
        "purchases": found.details,
    }


def of_line(line: Line) -> dict[str, Any]:
    return {
        "calls": line.calls,
        "delivered": line.delivered,
        "followed": line.followed,
        "conversion": line.conversion,
        "revenue": str(rounded(line.revenue)),
    }


def lines(found: Report) -> list[str]:
    sold = found.revenue
    told = [f"{found.span.begin:%Y-%m-%d %H:%M} to {found.span.end:%Y-%m-%d %H:%M} UTC"]
    told += [f"{found.users} users did something with {found.items} items"]
    told += [f"  {code:<18}{sum(counts):>12,}" for code, counts in found.events.items()]
    told += ["Scenario              calls   delivered   followed  conversion     revenue"]
    for name, line in [*found.scenarios.items(), ("total", found.total)]:
        share = "-" if line.conversion is None else f"{line.conversion:.1%}"
        told.append(
            f"  {name:<16}{line.calls:>9,}{line.delivered:>12,}{line.followed:>11,}{share:>12}"
            f"{rounded(line.revenue):>12,}"
        )
    told += [
        f"Revenue {rounded(sold.total):,} {sold.currency}, through recommendations "
        f"{rounded(sold.recommended):,} {sold.currency} ({sold.pieces_recommended} of {sold.pieces} pieces)"
    ]
    told += [
        f"Not included, for there is no rate: {rounded(amount):,} {currency} (see import_rates)"
        for currency, amount in sold.missing.items()
    ]
    return told
