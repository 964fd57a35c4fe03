"""The life of a dataflow: the only writer of its row (reference `cdp.md` 2.2, 2.3).

A dataflow in force is changed on a working copy, which may only add, and takes the place of what is in force
once it has passed a test.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp.dataflows import clearing, lanes, matters, naming, run, sample, stages, turns
from cdp.dataflows import columns as columns_module
from cdp.dataflows.configuration import Column, Configuration, Mapping, Parsing, Transformation, dump, load
from cdp.dataflows.faults import DataflowFault, IllegalTransition
from cdp.dataflows.mapping import column_types
from cdp.dataflows.models import Dataflow, MappedSchema, Run
from cdp.profiles.models import Account
from config import sealing

Status = Dataflow.Status
PURPOSE = "cdp-stream"
LONGEST_NAME, LONGEST_DESCRIPTION = 100, 500
GENERAL = ["name", "source", "destination", "description", "modified_at"]
BEING_MADE = (Status.DRAFT, Status.VALIDATED, Status.MAPPED)
IN_FORCE = (Status.ACTIVE, Status.PAUSED)


# --- Stage 1 ------------------------------------------------------------------------------------


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
        raise DataflowFault("required", "A dataflow needs a name.", field="name")
    if len(dataflow.name) > LONGEST_NAME:
        raise DataflowFault("too_long", f"A name has at most {LONGEST_NAME} characters.", field="name")
    if source != "stream_file":
        raise DataflowFault("invalid_choice", "The source must be Stream File.", field="source")
    if destination != "cdp":
        raise DataflowFault("invalid_choice", "The destination must be CDP.", field="destination")
    if len(description) > LONGEST_DESCRIPTION:
        sentence = f"A description has at most {LONGEST_DESCRIPTION} characters."
        raise DataflowFault("too_long", sentence, field="description")
    dataflow.description = description
    try:
        with transaction.atomic():
            dataflow.save(update_fields=GENERAL if dataflow.pk else None)
    except IntegrityError:
        raise DataflowFault(
            "name_taken", f"There is a dataflow called {dataflow.name!r} already.", field="name"
        ) from None


# --- Stage 2 ------------------------------------------------------------------------------------


def stream_id(dataflow: Dataflow) -> str:
    """The id that deliveries name, made at the first look; a secret."""
    if not dataflow.sealed_stream_id:
        not_archived(dataflow, "get a stream id")
        mint(dataflow)
    return sealing.unseal(dataflow.sealed_stream_id, purpose=PURPOSE).decode()


def rotate(dataflow: Dataflow) -> str:
    """A new stream id; the old one is unknown from now on."""
    not_archived(dataflow, "get a stream id")
    return mint(dataflow)


def mint(dataflow: Dataflow) -> str:
    new = str(uuid.uuid4())
    dataflow.sealed_stream_id = sealing.seal(new.encode(), purpose=PURPOSE)
    dataflow.stream_digest = digest_of(new)
    dataflow.save(update_fields=["sealed_stream_id", "stream_digest", "modified_at"])
    return new


def digest_of(stream: str) -> str:
    return sealing.fingerprint(stream.strip().lower(), purpose=PURPOSE)


def by_stream_id(account: Account, stream: str) -> Dataflow | None:
    found = Dataflow.objects.filter(account=account, stream_digest=digest_of(stream))
    return found.exclude(status=Status.ARCHIVED).select_related("account").first()


def validate(dataflow: Dataflow) -> Run:
    """*Validate & download*: take the newest draft as the sample, and what it says as the columns.

    Raises :class:`DataflowFault` ``no_sample``, ``empty_sample``, ``too_large`` or ``undecodable``. A format
    that is not recognised is for the next stage.
    """
    not_archived(dataflow, "be validated")
    newest = sample.checked(dataflow)
    before = stages.in_hand(dataflow)
    parsing = sample.parsing_of(newest)
    dataflow.sample = newest
    dataflow.parse_required = False
    if dataflow.status in IN_FORCE:
        dataflow.save(update_fields=["sample", "modified_at"])
        return newest
    dataflow.status = Status.VALIDATED
    if parsing is None:
        save(dataflow, before.model_copy(update={"parsing": None, "columns": ()}))
    else:
        save(dataflow, parsed(dataflow, before, parsing))
    return newest


def sample_came(dataflow: Dataflow, newest: Run) -> None:
    """A draft arrived. Columns that differ from the validated ones are to be parsed again."""
    if dataflow.sample_id is None or dataflow.status not in BEING_MADE:
        return
    configuration = load(dataflow.configuration)
    if configuration.parsing is None or shape(configuration.columns) == shape_of(dataflow, newest):
        return
    dataflow.parse_required = True
    dataflow.tested_hash = ""
    dataflow.status = Status.VALIDATED
    dataflow.save(update_fields=["parse_required", "tested_hash", "status", "modified_at"])


def shape(columns: Sequence[Column]) -> dict[str, str]:
    return {one.source: one.type for one in columns}


def shape_of(dataflow: Dataflow, newest: Run) -> dict[str, str] | None:
    try:
        parsing = sample.parsing_of(newest)
        if parsing is None:
            return None
        found = sample.load(newest, parsing, sample.reading_of(dataflow, parsing))
    except DataflowFault:
        return None
    return {one.source: one.type for one in found.columns}


# --- Stage 3 ------------------------------------------------------------------------------------


def parse(dataflow: Dataflow, parsing: Parsing | None = None) -> None:
    """*Parse File*: make the columns anew, from the newest draft and the options given or in hand.

    Raises :class:`DataflowFault`; nothing changes then.
    """
    not_archived(dataflow, "be parsed")
    run_ = sample.checked(dataflow)
    before = stages.in_hand(dataflow)
    parsing = parsing or before.parsing or sample.parsing_of(run_)
    if parsing is None:
        raise DataflowFault(
            "unrecognized_format", "The format is not recognised; choose one and its options.", field="format"
        )
    dataflow.sample = run_
    configuration = parsed(dataflow, before, parsing)
    dataflow.parse_required = False
    save(dataflow, configuration)


def parsed(dataflow: Dataflow, before: Configuration, parsing: Parsing) -> Configuration:
    assert dataflow.sample is not None  # noqa: S101 - set by both callers
    found = sample.load(dataflow.sample, parsing, sample.reading_of(dataflow, parsing))
    columns = columns_module.proposed(found.columns, before.columns)
    return before.model_copy(update={"parsing": parsing, "columns": columns})


def change_parsing(dataflow: Dataflow, parsing: Parsing) -> None:
    """Options that differ ask for *Parse File* before the stage is complete again."""
    not_archived(dataflow, "be changed")
    before = stages.in_hand(dataflow)
    if parsing != before.parsing:
        dataflow.parse_required = True
        save(dataflow, before.model_copy(update={"parsing": parsing}))


def set_columns(dataflow: Dataflow, columns: Sequence[Column], *, ignore_missing: bool | None = None) -> None:
    """Names, types, Mandatory and Include as somebody set them. Raises :class:`DataflowFault`."""
    not_archived(dataflow, "be changed")
    before = stages.in_hand(dataflow)
    if dataflow.sample is None or before.parsing is None or dataflow.parse_required:
        raise DataflowFault("parse_required", "Press Parse File first.")
    reading = sample.reading_of(dataflow, before.parsing)
    found = sample.load(dataflow.sample, before.parsing, reading)
    rows = [row for row in found.rows if isinstance(row, dict)]
    columns_module.check(columns, found.columns, rows, reading)
    update: dict[str, Any] = {"columns": tuple(columns)}
    if ignore_missing is not None:
        update["ignore_missing"] = ignore_missing
    save(dataflow, before.model_copy(update=update))


# --- Stage 4 ------------------------------------------------------------------------------------


def set_transformations(dataflow: Dataflow, transformations: Sequence[Transformation]) -> None:
    not_archived(dataflow, "be changed")
    after = stages.in_hand(dataflow).model_copy(update={"transformations": tuple(transformations)})
    column_types(after)
    save(dataflow, after)


def set_mappings(dataflow: Dataflow, mappings: Sequence[Mapping]) -> None:
    """Kept as far as they are; what is missing shows as problems of the stage."""
    not_archived(dataflow, "be changed")
    save(dataflow, stages.in_hand(dataflow).model_copy(update={"mappings": tuple(mappings)}))


def save(dataflow: Dataflow, configuration: Configuration) -> None:
    """Keep what was edited: in place, or for a dataflow in force as a working copy that only adds."""
    refuse_while_running(dataflow)
    if dataflow.status in IN_FORCE:
        only_adds(load(dataflow.configuration), configuration)
        dataflow.working_copy = dump(configuration)
    else:
        dataflow.configuration = dump(configuration)
    with transaction.atomic():
        if dataflow.status in (Status.VALIDATED, Status.MAPPED):
            is_whole = not dataflow.parse_required and not blocking(dataflow)
            dataflow.status = Status.MAPPED if is_whole else Status.VALIDATED
        if dataflow.tested_hash != stages.current_hash(dataflow):
            dataflow.tested_hash = "" if dataflow.status not in IN_FORCE else dataflow.tested_hash
        refuse_overtaken(dataflow)
        dataflow.save(update_fields=EDITED)
        link_schemas(dataflow, configuration)


EDITED = [
    *("configuration", "working_copy", "status", "tested_hash"),
    *("parse_required", "sample", "modified_at"),
]


def refuse_while_running(dataflow: Dataflow) -> None:
    """What is being processed goes on by the settings that were tested."""
    if dataflow.status in IN_FORCE:  # then it is a copy that is edited
        return
    if dataflow.runs.filter(state__in=run.WAITING).exists():
        raise DataflowFault("running", "Data is being processed; wait until it is done and change it then.")


def refuse_overtaken(dataflow: Dataflow) -> None:
    """Somebody else has activated or deleted it since it was read."""
    now = Dataflow.objects.select_for_update().values_list("status", flat=True).get(pk=dataflow.pk)
    if now != dataflow.status and now not in BEING_MADE:
        raise IllegalTransition(now, "be changed")


def blocking(dataflow: Dataflow) -> bool:
    problems = stages.missing(dataflow).problems
    return any(problems[one] for one in stages.Stage.values if one != stages.Stage.ACTIVATION)


def link_schemas(dataflow: Dataflow, configuration: Configuration) -> None:
    wanted = set(stages.schemas_of(configuration))
    for schema in wanted:
        MappedSchema.objects.get_or_create(dataflow=dataflow, schema_id=schema)
    if dataflow.status not in IN_FORCE:
        dataflow.mapped.exclude(schema__in=wanted).filter(rows__isnull=True).delete()


def only_adds(before: Configuration, after: Configuration) -> None:
    """Raises :class:`DataflowFault`, since what is in force must go on meaning the same."""
    known = {one.source: one for one in after.columns}
    for one in before.columns:
        if known.get(one.source) != one:
            raise DataflowFault("not_additive", f"The column {one.name} is in use and stays as it is.")
    if after.transformations[: len(before.transformations)] != before.transformations:
        raise DataflowFault("not_additive", "Transformations in use stay as they are; add new ones.")
    mapped = {one.schema_id: one for one in after.mappings}
    for each in before.mappings:
        now = mapped.get(each.schema_id)
        if now is None or now.write_mode != each.write_mode or not each.fields.items() <= now.fields.items():
            raise DataflowFault("not_additive", "Mappings in use stay as they are; add fields or schemas.")


# --- Stage 5 and after --------------------------------------------------------------------------


def note_test(dataflow: Dataflow, *, passed: bool) -> None:
    dataflow.tested_hash = stages.current_hash(dataflow) if passed else ""
    dataflow.save(update_fields=["tested_hash", "modified_at"])


def tested(dataflow: Dataflow) -> None:
    if not dataflow.tested_hash or dataflow.tested_hash != stages.current_hash(dataflow):
        raise DataflowFault("test_required", "Run the test first; it must pass as things are now.")
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
            sentence = "A run is being processed; put the changes in force when it is done, or cancel it."
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
            raise DataflowFault("running", "A run is being processed; wait for it, or cancel it.")
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


def not_archived(dataflow: Dataflow, event: str) -> None:
    if dataflow.status == Status.ARCHIVED:
        raise IllegalTransition(dataflow.status, event)
