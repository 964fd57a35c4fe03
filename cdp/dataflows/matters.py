"""Which news of deliveries is an Operational Insight, and when it closes (reference `cdp.md` 1.5, 2.1)."""

from __future__ import annotations

from collections.abc import Collection

from cdp.dataflows.models import Dataflow, Run
from cdp.profiles import insights
from cdp.profiles.models import Insight

RUN_FAILED, ROWS_REFUSED = "run_failed", "rows_refused"
NEW_COLUMN, HELD_DROPPED = "new_column", "held_dropped"
CODES = (RUN_FAILED, ROWS_REFUSED, NEW_COLUMN, HELD_DROPPED)
MOST_COLUMNS, LONGEST_COLUMN = 10, 40
State = Run.State


def ended(run: Run) -> None:
    """A run has ended. One that is clean closes what is open of its dataflow."""
    if run.kind == Run.Kind.SAMPLE:
        return
    name = run.dataflow.name
    if run.state in (State.FAILED, State.ABANDONED):
        report(run.dataflow, RUN_FAILED, f"A run of {name} failed: {run.message}")
    elif run.state == State.PARTIAL:
        report(run.dataflow, ROWS_REFUSED, f"{run.failed} of {run.received} rows of a run of {name} failed.")
    elif run.state == State.SUCCEEDED:
        kept = {NEW_COLUMN} if columns_reported(run) else set()
        close(run.dataflow, [code for code in CODES if code not in kept])


def new_columns(run: Run, names: Collection[str]) -> None:
    """Columns that the sample did not have: ignored, and said once of each run."""
    if columns_reported(run):
        return
    shown = ", ".join(name[:LONGEST_COLUMN] for name in sorted(names)[:MOST_COLUMNS])
    report(
        run.dataflow,
        NEW_COLUMN,
        f"Run {run.number} of {run.dataflow.name} has columns that are not known and ignored: {shown}. Send a"
        " draft with them and map them, if they are wanted.",
    )


def columns_reported(run: Run) -> bool:
    rows = Insight.objects.filter(account=run.dataflow.account_id, code=NEW_COLUMN, closed_at=None)
    return rows.filter(subject=str(run.dataflow_id), message__contains=str(run.number)).exists()


def dropped(run: Run, why: str) -> None:
    """Data that was held is gone; nobody asked for it in time."""
    report(run.dataflow, HELD_DROPPED, f"A held run of {run.dataflow.name} was dropped: {why}")


def report(dataflow: Dataflow, code: str, message: str) -> None:
    insights.report(dataflow.account, code=code, subject=str(dataflow.pk), message=message)


def close(dataflow: Dataflow, codes: Collection[str] = CODES) -> None:
    insights.close(dataflow.account, code=codes, subject=str(dataflow.pk))
