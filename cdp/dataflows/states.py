"""In which states a dataflow is made, in force, or gone (reference `cdp.md` 2.3)."""

from __future__ import annotations

from cdp.dataflows.faults import IllegalTransition
from cdp.dataflows.models import Dataflow

Status = Dataflow.Status
BEING_MADE = (Status.DRAFT, Status.VALIDATED, Status.MAPPED)
IN_FORCE = (Status.ACTIVE, Status.PAUSED)


def not_archived(dataflow: Dataflow, event: str) -> None:
    if dataflow.status == Status.ARCHIVED:
        raise IllegalTransition(dataflow.status, event)
