"""The life of a dataflow, from its name to its end (reference `cdp.md` 2.3).

With :mod:`~cdp.dataflows.editing` and :mod:`~cdp.dataflows.stream_ids` the only writer of its row.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from cdp.dataflows import clearing, lanes, matters, naming, run, stages, turns
from cdp.dataflows.configuration import load
from cdp.dataflows.editing import link_schemas
from cdp.dataflows.faults import DataflowFault, IllegalTransition
from cdp.dataflows.models import Dataflow, Run
from cdp.dataflows.states import IN_FORCE, Status, not_archived
from cdp.profiles.models import Account

LONGEST_NAME, LONGEST_DESCRIPTION = 100, 500
GENERAL = ["name", "source", "destination", "description", "modified_at"]


def create(account: Account, **general: str) -> Dataflow:
    """``general``: name, source, destination, description. Raises :class:`DataflowFault`."""
    dataflow = Dataflow(account=account)
    save_general(dataflow, **general)
    return dataflow


def save_general(
    dataflow: Dataflow,
    *,
    name: str,
    source: str = "stream_file",
    destination: str = "cdp",
    description: str = "",
) -> None:
    not_archived(dataflow, "be changed")
    dataflow.name = name.strip()
    if not dataflow.name:
        raise DataflowFault("required", gettext("A dataflow needs a name."), field="name")
    if len(dataflow.name) > LONGEST_NAME:
        raise DataflowFault(
            "too_long",
            gettext("A name has at most %(most)s characters.") % {"most": LONGEST_NAME},
            field="name",
        )
    if source != "stream_file":
        raise DataflowFault("invalid_choice", gettext("The source must be Stream File."), field="source")
    if destination != "cdp":
        raise DataflowFault("invalid_choice", gettext("The destination must be CDP."), field="destination")
    if len(description) > LONGEST_DESCRIPTION:
        sentence = gettext("A description has at most %(most)s characters.")
        raise DataflowFault("too_long", sentence % {"most": LONGEST_DESCRIPTION}, field="description")
    dataflow.description = description
    try:
        with transaction.atomic():
            dataflow.save(update_fields=GENERAL if dataflow.pk else None)
    except IntegrityError:
        raise DataflowFault(
            "name_taken",
            gettext("There is a dataflow called %(name)r already.") % {"name": dataflow.name},
            field="name",
        ) from None


def note_test(dataflow: Dataflow, *, passed: bool) -> None:
    dataflow.tested_hash = stages.current_hash(dataflow) if passed else ""
    dataflow.save(update_fields=["tested_hash", "modified_at"])


def tested(dataflow: Dataflow) -> None:
    if not dataflow.tested_hash or dataflow.tested_hash != stages.current_hash(dataflow):
        raise DataflowFault("test_required", gettext("Run the test first; it must pass as things are now."))
    naming.keep(dataflow.account, stages.schemas_of(stages.in_hand(dataflow)).values())


def activate(dataflow: Dataflow) -> int:
    """Turn the dataflow on, and process what was held; return how many runs that is."""
    with lanes.intake(dataflow.pk):
        dataflow.refresh_from_db()
        if dataflow.status in IN_FORCE and dataflow.working_copy:
            put_in_force(dataflow)
            return 0
        if dataflow.status != Status.MAPPED:
            raise IllegalTransition(dataflow.status, "be activated")
        tested(dataflow)
        dataflow.status = Status.ACTIVE
        dataflow.save(update_fields=["status", "modified_at"])
        return release_held(dataflow)


def put_in_force(dataflow: Dataflow) -> None:
    """Changes take effect between runs, never in the middle of one: of a set it would be a part."""
    tested(dataflow)
    with lanes.processing(dataflow.pk):
        if dataflow.runs.filter(state=Run.State.RUNNING).exists():
            sentence = gettext(
                "A run is being processed; put the changes in force when it is done, or cancel it."
            )
            raise DataflowFault("running", sentence)
        dataflow.configuration, dataflow.working_copy = dataflow.working_copy or {}, None
        dataflow.save()


def set_schedule(dataflow: Dataflow, expression: str) -> None:
    """Collect what comes until the moments of a cron expression; "": process it as it comes.

    Holds at once, for what is collected already too. Raises :class:`DataflowFault`.
    """
    with lanes.intake(dataflow.pk):
        dataflow.refresh_from_db()
        not_archived(dataflow, "be changed")
        dataflow.schedule = turns.checked(expression)
        dataflow.save(update_fields=["schedule", "modified_at"])
        collected = dataflow.runs.filter(state=Run.State.QUEUED, due_at__isnull=False)
        now = timezone.now()
        collected.update(due_at=turns.after(dataflow, now) or now)
        if not dataflow.schedule:
            run.enqueue(dataflow.pk)


def run_held(dataflow: Dataflow) -> int:
    """*Run*: process what was held, once."""
    with lanes.intake(dataflow.pk):
        dataflow.refresh_from_db()
        if dataflow.status != Status.MAPPED:
            raise IllegalTransition(dataflow.status, "be run")
        tested(dataflow)
        return release_held(dataflow)


def release_held(dataflow: Dataflow, *, by_schedule: bool = False) -> int:
    """Queue held runs in the order of their arrival; of overwrites only the newest that is whole counts.

    ``by_schedule``: each at the moment that was the next one when it came, which may be over.
    """
    held = list(dataflow.runs.filter(state=Run.State.HELD).order_by("pk"))
    modes = {one.write_mode for one in load(dataflow.configuration).mappings}
    whole = [one for one in held if one.is_final]
    if modes == {"overwrite"} and whole:
        for one in held:
            if one.pk < whole[-1].pk:
                run.cancel(one, "A newer run replaces everything that this one would have written.")
        held = [one for one in held if one.pk >= whole[-1].pk]
    for one in held:
        one.state, one.kind = Run.State.QUEUED, Run.Kind.HELD
        one.due_at = turns.after(dataflow, one.started_at) if by_schedule else None
        one.trigger = "schedule" if one.due_at else "manual"
        one.save(update_fields=["state", "kind", "due_at", "trigger"])
    if held:
        run.enqueue(dataflow.pk)
    return len(held)


def pause(dataflow: Dataflow) -> None:
    move(dataflow, Status.ACTIVE, Status.PAUSED, "be paused")


def resume(dataflow: Dataflow) -> int:
    with lanes.intake(dataflow.pk):
        move(dataflow, Status.PAUSED, Status.ACTIVE, "be resumed")
        return release_held(dataflow, by_schedule=True)


def move(dataflow: Dataflow, before: str, after: str, event: str) -> None:
    if not Dataflow.objects.filter(pk=dataflow.pk, status=before).update(status=after):
        dataflow.refresh_from_db()
        raise IllegalTransition(dataflow.status, event)
    dataflow.refresh_from_db()


def archive(dataflow: Dataflow, *, with_data: bool = False) -> None:
    """Delete, as people call it: nothing can be delivered any more. What came of it stays, or is removed
    by the worker."""
    with lanes.intake(dataflow.pk), lanes.processing(dataflow.pk):
        dataflow.refresh_from_db()
        not_archived(dataflow, "be deleted")
        if dataflow.runs.filter(state=Run.State.RUNNING).exists():
            raise DataflowFault("running", gettext("A run is being processed; wait for it, or cancel it."))
        for one in dataflow.runs.filter(state__in=[Run.State.HELD, Run.State.QUEUED]):
            run.cancel(one, "The dataflow was deleted.")
        dataflow.status = Status.ARCHIVED
        dataflow.stream_digest, dataflow.sealed_stream_id = None, ""
        dataflow.save()
        matters.close(dataflow)
        if with_data:
            clearing.empty(dataflow)


def clone(dataflow: Dataflow) -> Dataflow:
    """A new draft with the same settings as a proposal, without stream id and sample."""
    number = 2
    while Dataflow.objects.filter(
        account=dataflow.account, name__iexact=f"{dataflow.name[:90]} {number}"
    ).exists():
        number += 1
    copy = create(dataflow.account, name=f"{dataflow.name[:90]} {number}", description=dataflow.description)
    copy.configuration = dataflow.working_copy or dataflow.configuration
    copy.schedule = dataflow.schedule
    copy.save(update_fields=["configuration", "schedule"])
    link_schemas(copy, load(copy.configuration))
    return copy
