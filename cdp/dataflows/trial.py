"""*Test*: the sample through every step but the last, which would store it (`cdp.md` 2.2 stage 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from cdp.dataflows import lifecycle, sample, stages
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Dataflow, RowError, Run
from cdp.dataflows.plan import Plan, Result
from cdp.dataflows.run import MOST_ERRORS

PREVIEW = 10


@dataclass(frozen=True, kw_only=True)
class Report:
    """``preview``: the first rows as they would be stored, by the name of their schema."""

    run: Run
    passed: bool
    preview: list[dict[str, dict[str, Any]]]


def test(dataflow: Dataflow) -> Report:
    """It passes with at least one row and no row refused. Raises :class:`DataflowFault`."""
    configuration = stages.in_hand(dataflow)
    schemas = stages.schemas_of(configuration)
    problems = stages.missing(dataflow).problems
    for stage in stages.Stage.values[:-1]:
        if problems[stage]:
            raise DataflowFault("stage_locked", f"{stages.Stage(stage).label}: {problems[stage][0].sentence}")
    assert dataflow.sample is not None and configuration.parsing is not None  # noqa: PT018, S101 - just asked
    reading = sample.reading_of(dataflow, configuration.parsing)
    rows = sample.load(dataflow.sample, configuration.parsing, reading).rows
    plan = Plan(configuration, schemas, reading)
    results = [plan.apply(row) for row in rows]
    run = stored(dataflow, results)
    passed = bool(results) and not run.failed
    lifecycle.note_test(dataflow, passed=passed)
    names = {pk: schema.name for pk, schema in schemas.items()}
    good = [one.values for one in results if one.fault is None][:PREVIEW]
    return Report(
        run=run,
        passed=passed,
        preview=[{names[pk]: row for pk, row in values.items()} for values in good],
    )


def stored(dataflow: Dataflow, results: list[Result]) -> Run:
    """The test in the history of runs."""
    failed = sum(one.fault is not None for one in results)
    run = Run.objects.create(
        dataflow=dataflow,
        kind=Run.Kind.TEST,
        state=Run.State.FAILED if failed or not results else Run.State.SUCCEEDED,
        trigger="manual",
        received=len(results),
        failed=failed,
        warned=sum(bool(one.warnings) for one in results),
        configuration_hash=stages.current_hash(dataflow),
        ended_at=timezone.now(),
    )
    faults = [
        (index, fault, is_warning)
        for index, one in enumerate(results)
        for fault, is_warning in [
            *((one, True) for one in one.warnings),
            *([(one.fault, False)] if one.fault else []),
        ]
    ]
    RowError.objects.bulk_create(
        RowError(
            run=run,
            index=index,
            column=fault.column,
            code=fault.code,
            value=fault.value,
            is_warning=is_warning,
        )
        for index, fault, is_warning in faults[:MOST_ERRORS]
    )
    return run
