"""Working off deliveries: chunk by chunk, each in one transaction and exactly once (reference `cdp.md` 2.5).

The rows are the truth. A job per dataflow works them off while there are any; a sweep makes one where a crash
left none. What an overwrite replaces stays in force until the whole run is there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import DataError, IntegrityError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from cdp.dataflows import configuration, lanes, matters, payloads, sample, turns
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.interpret.read import BadRow, Row
from cdp.dataflows.models import Dataflow, Payload, RowError, Run, Schema
from cdp.dataflows.plan import Plan, RowFault
from cdp.dataflows.targets import SUPPRESSED, Counts, Targets
from cdp.profiles.contributions import BadGeneration
from config.jobs import queue as jobs
from config.jobs import schedule
from config.jobs.models import OPEN_STATES, Job
from config.sealing import Unsealable

logger = logging.getLogger("cdp")

JOB = "cdp.dataflow"
State, Kind = Run.State, Run.Kind
WAITING = (State.QUEUED, State.RUNNING)
MOST_ERRORS = 200
ABANDONED_AFTER = timedelta(minutes=60)
HELD_DAYS, SAMPLE_DAYS, HISTORY_DAYS, HISTORY_RUNS = 14, 30, 90, 100
ROWS_FAULTS = (IntegrityError, DataError, ValueError, TypeError, OverflowError, KeyError)


def enqueue(dataflow: int) -> None:
    """Have the worker look at what waits for a dataflow."""
    jobs.enqueue(JOB, {"dataflow": dataflow}, key=str(dataflow))


@jobs.job(JOB)
def work(job: jobs.Run) -> dict[str, Any]:
    """Everything that waits for a dataflow."""
    done = 0
    while step(job.payload["dataflow"]):
        done += 1
        job.progress(done, message=f"{done} chunks")
    return {"chunks": done}


def step(dataflow: int) -> bool:
    """Process the next chunk, or end a run that is whole; whether there was anything to do.

    What nobody foresaw of its rows ends a run, and never holds up those behind it.
    """
    found: list[Run] = []
    try:
        return next_step(dataflow, found)
    except (BadGeneration, Unsealable, *ROWS_FAULTS) as fault:
        if not found:
            raise
        logger.exception("A chunk of run %s cannot be processed.", found[-1].number)
        end(found[-1], fault)
        return True


def end(run: Run, fault: Exception) -> None:
    """Give up a run whose step was undone, unless it was ended since then."""
    if isinstance(fault, BadGeneration):
        code, sentence = "overtaken", "A newer run has taken effect meanwhile, which this one would undo."
    elif isinstance(fault, Unsealable):
        code, sentence = "unreadable", "What waits cannot be decrypted; was SECRET_KEY changed? Resend it."
    else:
        code, sentence = "cannot_store", f"A row cannot be stored ({type(fault).__name__})."
    with lanes.processing(run.dataflow_id):
        run.refresh_from_db()
        if run.ended_at is None:
            fail(run, code, sentence)


def next_step(dataflow: int, found: list[Run]) -> bool:
    """``found``: gets the run that is being worked on."""
    with lanes.processing(dataflow):
        waiting = Run.objects.filter(dataflow=dataflow, state__in=WAITING).select_related("dataflow")
        for one in waiting.order_by("pk"):
            if not turns.has_come(one, timezone.now()):
                return False  # nor those behind it, which are newer
            found.append(one)
            payload = one.payloads.filter(sequence=one.done_chunks).first()
            if payload is not None:
                process(one, payload)
                return True
            if one.is_final:  # then no chunk is missing
                finish(one)
                return True
    return False


def process(run: Run, payload: Payload) -> None:
    """Store the rows of one chunk in the caller's transaction."""
    dataflow = run.dataflow
    try:
        settings = configuration.load(dataflow.configuration)
        plan = plan_of(dataflow, settings)
        rows = payloads.rows_of(payload, settings.parsing or configuration.Parsing())
    except DataflowFault as fault:
        fail(run, fault.code, str(fault))
        return
    begin(run, dataflow, settings)
    recount(run, payload, len(rows))
    targets = Targets(run, plan, at=int(payload.received_at.timestamp() * 1_000_000))
    refused, errors, good = sorted_out(plan, rows, targets)
    counts = targets.store()
    # Whoever was erased is in no file either.
    kept = (place for place, fault in targets.refused.items() if fault.code != SUPPRESSED)
    refused += [row for place in kept if isinstance(row := rows[place], dict)]
    errors += [(place, fault, False) for place, fault in targets.refused.items()]
    errors += [(place, fault, True) for place, fault in targets.rounded]
    note(run, payload, errors=errors, refused=refused, counts=counts, good=good)
    if found := plan.new_columns(rows):
        matters.new_columns(run, found)


def plan_of(dataflow: Dataflow, settings: configuration.Configuration) -> Plan:
    """Raises :class:`DataflowFault` where a schema is gone."""
    schemas = Schema.objects.prefetch_related("fields").in_bulk([one.schema_id for one in settings.mappings])
    if len(schemas) < len(settings.mappings):
        raise DataflowFault("unknown_schema", gettext("A mapped schema is gone."))
    return Plan(settings, schemas, sample.reading_of(dataflow, settings.parsing))


def begin(run: Run, dataflow: Dataflow, settings: configuration.Configuration) -> None:
    if run.state != State.QUEUED:
        return
    run.state = State.RUNNING
    run.configuration_hash = dataflow.tested_hash
    run.save(update_fields=["state", "configuration_hash"])


def recount(run: Run, payload: Payload, rows: int) -> None:
    """The number of rows of a chunk, which was an estimate by its lines until somebody read it."""
    Run.objects.filter(pk=run.pk).update(received=F("received") - payload.rows + rows)
    Payload.objects.filter(pk=payload.pk).update(rows=rows)
    payload.rows = rows


def sorted_out(
    plan: Plan, rows: Sequence[Row | BadRow], targets: Targets
) -> tuple[list[Row | str], list[tuple[int, RowFault, bool]], int]:
    """Hand good rows on; refused rows, and (place, fault, whether it is a warning) of each fault."""
    refused: list[Row | str] = []
    errors: list[tuple[int, RowFault, bool]] = []
    good = 0
    for place, row in enumerate(rows):
        result = plan.apply(row)
        errors += [(place, warning, True) for warning in result.warnings]
        if result.fault is None:
            targets.add(place, result.values)
            good += 1
        else:
            errors.append((place, result.fault, False))
            refused.append(row.text if isinstance(row, BadRow) else row)
    return refused, errors, good


def note(
    run: Run,
    payload: Payload,
    *,
    errors: Sequence[tuple[int, RowFault, bool]],
    refused: Sequence[Row | str],
    counts: Counts,
    good: int,
) -> None:
    """Write down what became of a chunk. Its body goes."""
    room = MOST_ERRORS - run.errors.count()
    RowError.objects.bulk_create(
        RowError(
            run=run,
            index=run.done_rows + place,
            column=fault.column,
            code=fault.code,
            value=fault.value,
            is_warning=is_warning,
        )
        for place, fault, is_warning in sorted(errors, key=lambda one: one[0])[: max(room, 0)]
    )
    failed = len({place for place, _, is_warning in errors if not is_warning})
    warned = len({place for place, _, is_warning in errors if is_warning})
    Run.objects.filter(pk=run.pk).update(
        inserted=F("inserted") + counts.inserted,
        updated=F("updated") + counts.updated,
        unchanged=F("unchanged") + counts.unchanged,
        failed=F("failed") + failed,
        warned=F("warned") + warned,
        generations=run.generations,
        done_chunks=F("done_chunks") + 1,
        done_rows=F("done_rows") + payload.rows,
    )
    Payload.objects.filter(pk=payload.pk).update(sealed="", sealed_refused=payloads.seal_rows(refused))


def finish(run: Run) -> None:
    """End a run whose chunks are all processed; an overwrite takes effect here, as a whole."""
    run.refresh_from_db()
    dataflow = run.dataflow
    settings = configuration.load(dataflow.configuration)
    overwrites = [one for one in settings.mappings if one.write_mode == "overwrite"]
    if overwrites:
        if not run.received and not all(one.allow_empty for one in overwrites):
            fail(run, "empty_overwrite", "A run without rows would remove everything; nothing was changed.")
            return
        if run.failed * 2 > run.received:
            fail(run, "too_many_errors", "More than half of the rows are wrong; nothing was replaced.")
            return
    run.removed = Targets(run, plan_of(dataflow, settings), at=0).switch()
    mostly_wrong = run.failed * 2 > run.received
    run.state = State.FAILED if mostly_wrong else State.PARTIAL if run.failed else State.SUCCEEDED
    if mostly_wrong:
        run.error, run.message = "too_many_errors", "More than half of the rows are wrong."
    run.ended_at = timezone.now()
    run.save()
    matters.ended(run)


def fail(run: Run, code: str, sentence: str, *, state: str = State.FAILED) -> None:
    """End a run without its overwrites; rows that were appended stay."""
    Targets.discard(run)
    Run.objects.filter(pk=run.pk).update(generations={})
    over(run, code, sentence, state=state)


def over(run: Run, code: str, sentence: str, *, state: str) -> None:
    """End a run. Rows of an overwrite that it has written stay under its generations, in force nowhere."""
    run.payloads.exclude(sealed="").update(sealed="")
    Run.objects.filter(pk=run.pk).update(
        state=state, error=code, message=sentence[:500], ended_at=timezone.now()
    )
    run.refresh_from_db()
    logger.warning("Run %s of dataflow %s %s: %s", run.number, run.dataflow_id, state, sentence)
    matters.ended(run)


def cancel(run: Run, sentence: str) -> None:
    fail(run, "cancelled", sentence, state=State.CANCELLED)


def drop(run: Run, sentence: str) -> None:
    """Give up a run that was held; somebody is to look at why nobody asked for it."""
    cancel(run, sentence)
    matters.dropped(run, sentence)


@schedule.periodic("cdp.dataflow_sweep", every=5.0)
def sweep() -> None:
    """Make the jobs of what was collected until now, and those that a crash, or a lost table of jobs, left
    unmade; give up runs that never ended."""
    open_for = set(
        Job.objects.filter(kind=JOB, state__in=OPEN_STATES).values_list("payload__dataflow", flat=True)
    )
    now = timezone.now()
    waiting = Payload.objects.filter(
        turns.have_come(now, of="run__"), run__state__in=WAITING, sequence=F("run__done_chunks")
    )
    ended = Run.objects.filter(turns.have_come(now), state__in=WAITING, last_sequence__isnull=False)
    dataflows = set(waiting.order_by().values_list("run__dataflow", flat=True).distinct())
    for dataflow in dataflows | set(ended.order_by().values_list("dataflow", flat=True).distinct()):
        if dataflow not in open_for:
            enqueue(dataflow)
    abandon()


def abandon() -> None:
    """Runs that got no chunk for an hour and never a last one."""
    old = Run.objects.filter(
        state__in=[*WAITING, State.HELD],
        last_sequence__isnull=True,
        touched_at__lt=timezone.now() - ABANDONED_AFTER,
    )
    for run in old:
        with lanes.intake(run.dataflow_id), lanes.processing(run.dataflow_id):
            if old.filter(pk=run.pk).exists():
                fail(run, "abandoned", "No further chunk came for an hour.", state=State.ABANDONED)


@schedule.periodic("cdp.dataflow_purge", every=3600.0)
def purge() -> None:
    """Forget samples, held data and history that are too old."""
    now = timezone.now()
    held = Run.objects.filter(state=State.HELD, started_at__lt=now - timedelta(days=HELD_DAYS))
    for run in held:
        with lanes.intake(run.dataflow_id):
            if held.filter(pk=run.pk).exists():  # nobody asked for it meanwhile
                drop(run, f"Held for {HELD_DAYS} days and never asked for.")
    old_samples = Run.objects.filter(kind=Kind.SAMPLE, started_at__lt=now - timedelta(days=SAMPLE_DAYS))
    Payload.objects.filter(run__in=old_samples).update(sealed="")
    for dataflow in Dataflow.objects.all():
        ended = dataflow.runs.filter(ended_at__isnull=False).exclude(kind=Kind.SAMPLE)
        kept = ended.order_by("-pk").values_list("pk", flat=True)[:HISTORY_RUNS]
        old = ended.filter(started_at__lt=now - timedelta(days=HISTORY_DAYS)).exclude(pk__in=list(kept))
        old.delete()
