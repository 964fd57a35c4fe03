"""``manage.py build_models [--customer N] [--choose] [--json]``: learn every model now, in this process."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.customers import directory
from personalization.server import choosing, overview, training
from personalization.server.models import Model, ModelBuild


class Command(BaseCommand):
    help = "Learn the models of one or every customer from what was tracked so far, and let them serve."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", metavar="ID", help="only this customer (default: every one)")
        parser.add_argument("--status", action="store_true", help="only say where each model stands")
        parser.add_argument(
            "--choose", action="store_true", help="first try settings on the customer's own events"
        )
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["status"]:
            self.show_status(self.customers(options["customer"]), as_json=options["json"])
            return
        quiet = options["json"] or options["verbosity"] == 0
        rows = []
        for customer_id in self.customers(options["customer"]):
            if options["choose"]:
                self.choose(customer_id, quiet=quiet)
            rows += build(customer_id, on_row=None if quiet else self.show)
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
        if crashed := [row for row in rows if row["crashed"]]:
            raise CommandError(
                f"{len(crashed)} of {len(rows)} builds failed; the models before them keep serving. "
                f"The first failure: {crashed[0]['note']}",
                returncode=1,
            )

    def choose(self, customer_id: str, *, quiet: bool) -> None:
        for model in choosing.models_of(customer_id):
            said = choosing.choose(model)
            told = said.get("reason") or overview.found(model) or "the settings of its kind do best"
            if not quiet:
                self.stdout.write(f"Customer {customer_id}: {model.identifier}: {told}")

    def show_status(self, customers: list[str], *, as_json: bool) -> None:
        found = [(customer, one) for customer in customers for one in overview.models(customer)]
        if as_json:
            rows = [{"customer": customer, "model": one.identifier, **asdict(one)} for customer, one in found]
            self.stdout.write(json.dumps(rows, indent=2, default=str))
            return
        for customer, one in found:
            built = f"{one.last_built:%Y-%m-%d %H:%M}" if one.last_built else "-"
            told = f"{customer}  {one.identifier:<20}{one.status:<18}{built:<18}{one.items:>9,}  {one.note}"
            self.stdout.write(told.rstrip())

    def customers(self, wanted: str | None) -> list[str]:
        known = [account.customer_id for account in directory.directory.all()]
        if wanted and wanted not in known:
            raise CommandError(
                f"The customer {wanted!r} is unknown. Known customers: {', '.join(known) or 'none'}.",
                returncode=2,
            )
        return [wanted] if wanted else known

    def show(self, row: dict[str, Any]) -> None:
        about = row["note"] or f"{row['items']} items learnt from {row['events']} events"
        self.stdout.write(
            f"Customer {row['customer']}: {row['model']} {row['status']} ({row['seconds']} s). {about}"
        )


def build(customer_id: str, *, on_row: Any) -> list[dict[str, Any]]:
    """Build all models of a customer; one dictionary per model."""
    rows: list[dict[str, Any]] = []
    started = time.monotonic()

    def done(model: Model, outcome: ModelBuild) -> None:
        nonlocal started
        rows.append(described(model, outcome, seconds=time.monotonic() - started))
        started = time.monotonic()
        if on_row:
            on_row(rows[-1])

    training.build_all(customer_id, on_done=done)
    return rows


def described(model: Model, outcome: ModelBuild, *, seconds: float) -> dict[str, Any]:
    failed = outcome.status == ModelBuild.Status.FAILED
    nothing = outcome.lacked_events
    return {
        "customer": model.customer_id,
        "model": model.identifier,
        "status": "no events yet" if nothing else str(outcome.get_status_display()).lower(),
        "items": outcome.items,
        "events": outcome.events,
        "seconds": round(seconds, 2),
        "note": outcome.error,
        "crashed": failed and not nothing,
    }
