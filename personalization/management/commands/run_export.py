"""``manage.py run_export``: write all items to files and tell the engine to fetch them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import served
from config.http.own import is_own
from config.jobs import queue
from config.jobs.models import Job
from personalization.client.errors import AlreadyRunning, WrongUse
from personalization.client.export.run import ACTIVE, Order, start
from personalization.client.export.selection import Selection
from personalization.client.models import ExportRun
from personalization.management import wanted
from personalization.management.progress import ExportProgress

DONE, FAILED, WRONG_USE, RUNNING = 0, 1, 2, 4


@dataclass(kw_only=True)
class Outcome:
    """What came of one customer's export, as ``--json`` prints it."""

    customer: int
    sites: list[str]
    state: str
    items: int = 0
    bytes: int = 0
    files: int = 0
    seconds: float = 0.0
    folder: str = ""
    engine_status: int | None = None
    job: int | None = None
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    groups: list[dict[str, object]] = field(default_factory=list)
    exit_code: int = DONE


class Command(BaseCommand):
    help = "Export all items to files and tell the engine to fetch them, once per customer."

    def add_arguments(self, parser: CommandParser) -> None:
        wanted.add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")
        parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
        parser.add_argument("--queue", action="store_true", help="leave the work to a worker")
        parser.add_argument("--dry-run", action="store_true", help="count, but write and send nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            orders = wanted.orders_of(options)
            selections = [order.selection() for order in orders]
        except (WrongUse, ImproperlyConfigured) as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        outcomes = [
            self.run(order, selection, options) for order, selection in zip(orders, selections, strict=True)
        ]
        if options["json"]:
            self.stdout.write(orjson.dumps({"exports": [vars(one) for one in outcomes]}).decode())
        self.conclude(outcomes)

    def run(self, order: Order, selection: Selection, options: dict[str, Any]) -> Outcome:
        """Export for one customer; a failure is an outcome, so that the other customers get theirs."""
        outcome = Outcome(
            customer=order.target.customer_id,
            sites=[site.name for site in order.target.sites],
            state="planned",
            warnings=[*wanted.warnings_of(order, options), *selection.warnings],
            groups=[{"name": group.name, "items": group.count} for group in selection.groups],
        )
        for warning in outcome.warnings:
            self.stderr.write(self.style.WARNING(warning))
        if options["dry_run"]:
            outcome.items = selection.items
        elif options["queue"]:
            hand_over(order, selection, outcome)
        else:
            self.export(order, selection, outcome, silent=options["quiet"] or options["json"])
        exported = outcome.state == ExportRun.Phase.DONE and outcome.items
        waits = bool(exported and waits_for_a_server(order))
        if not (options["quiet"] or options["json"]):
            self.stdout.write(summary(outcome, waits=waits))
        if waits:
            self.warn(
                outcome,
                "No server runs on this state folder: the engine knows of the files and fetches them once "
                f"`manage.py serve` runs on port {settings.SERVED_PORT}, where they are announced.",
            )
        return outcome

    def warn(self, outcome: Outcome, sentence: str) -> None:
        """Where whoever reads errors only, or the JSON, meets it too."""
        outcome.warnings.append(sentence)
        self.stderr.write(self.style.WARNING(sentence))

    def export(self, order: Order, selection: Selection, outcome: Outcome, *, silent: bool) -> None:
        started = time.monotonic()
        run = begun(order, outcome)
        if run is None:
            return
        job = Job.objects.get(pk=run.job_id or 0)
        with ExportProgress(self.stdout, total=selection.items, silent=silent, name=run.customer_id) as bar:
            job = queue.run_now(job, on_progress=bar.show)
        run.refresh_from_db()
        outcome.seconds = round(time.monotonic() - started, 3)
        outcome.files = job.chunks.count()
        describe(outcome, run)

    def conclude(self, outcomes: Sequence[Outcome]) -> None:
        """Exit with the gravest code, saying every error on the error channel."""
        errors = [outcome.error for outcome in outcomes if outcome.error]
        code = max((outcome.exit_code for outcome in outcomes), key=gravity)
        if code != DONE:
            raise CommandError("\n".join(errors), returncode=code)


def begun(order: Order, outcome: Outcome, *, for_worker: bool = False) -> ExportRun | None:
    """The run, or None where it may not begin, which ``outcome`` then says."""
    try:
        return start(order, for_worker=for_worker)
    except (AlreadyRunning, WrongUse) as error:
        outcome.state, outcome.error = "refused", str(error)
        outcome.exit_code = RUNNING if isinstance(error, AlreadyRunning) else WRONG_USE
        return None


def hand_over(order: Order, selection: Selection, outcome: Outcome) -> None:
    """Leave the export to a worker."""
    if run := begun(order, outcome, for_worker=True):
        outcome.state, outcome.job, outcome.folder = "queued", run.job_id, run.folder
        outcome.items = selection.items


def waits_for_a_server(order: Order) -> bool:
    """Whether the engine is this installation's own and nothing runs that would fetch the files."""
    notified = order.web_hook or order.target.sites[0].notifier_endpoint
    inline = settings.JOBS_INLINE or settings.REDIS_URL
    return not inline and is_own(notified) and not served.running(settings.VAR_DIR)


def gravity(code: int) -> int:
    return [DONE, RUNNING, WRONG_USE, FAILED].index(code)


def describe(outcome: Outcome, run: ExportRun) -> None:
    outcome.state, outcome.error = str(run.phase), run.error
    outcome.items, outcome.bytes, outcome.folder = run.items, run.bytes, run.folder
    outcome.engine_status = run.engine_status
    if run.phase in ACTIVE:
        outcome.exit_code = RUNNING
        outcome.error = f"Another worker took job #{run.job_id} over and carries on."
    elif run.phase != ExportRun.Phase.DONE:
        outcome.exit_code = FAILED


def summary(outcome: Outcome, *, waits: bool) -> str:
    """One sentence; ``waits``: another one says what the engine is waiting for."""
    who = f"customer {outcome.customer} ({', '.join(outcome.sites)})"
    if outcome.state == "planned":
        groups = ", ".join(f"{group['name']}: {group['items']}" for group in outcome.groups) or "nothing"
        return f"Would export {outcome.items} items for {who}: {groups}."
    if outcome.state == "queued":
        return (
            f"Queued the export of {outcome.items} items for {who} as job #{outcome.job}. "
            "A worker takes it up (`manage.py work`, `serve` has one); the back office shows how far it is."
        )
    if outcome.state != ExportRun.Phase.DONE:
        return f"Not exported for {who}."
    if not outcome.items:
        return f"Nothing to export for {who}: there is no visible item. The engine was not called."
    rate = outcome.items / outcome.seconds if outcome.seconds else 0
    return (
        f"Exported {outcome.items} items in {outcome.files} files ({outcome.bytes:,} bytes) for {who} in "
        f"{outcome.seconds:.1f} s ({rate:,.0f} items/s)"
        + ("." if waits else f"; the engine answered {outcome.engine_status} and fetches them now.")
    )
