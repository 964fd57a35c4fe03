"""What a dataflow does with its rows, as somebody edits it: sample, columns, transformations, mappings
(reference `cdp.md` 2.2, stages 2 to 4).

A dataflow in force is changed on a working copy, which may only add, and takes the place of what is in force
once it has passed a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from cdp.dataflows import columns as columns_module
from cdp.dataflows import run, sample, stages
from cdp.dataflows.configuration import Column, Configuration, Mapping, Parsing, Transformation, dump, load
from cdp.dataflows.faults import DataflowFault, IllegalTransition
from cdp.dataflows.mapping import column_types
from cdp.dataflows.models import Dataflow, MappedSchema, Run
from cdp.dataflows.states import BEING_MADE, IN_FORCE, Status, not_archived

EDITED = [
    *("configuration", "working_copy", "status", "tested_hash"),
    *("parse_required", "sample", "modified_at"),
]


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
            "unrecognized_format",
            gettext("The format is not recognised; choose one and its options."),
            field="format",
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
        raise DataflowFault("parse_required", gettext("Press Parse File first."))
    reading = sample.reading_of(dataflow, before.parsing)
    found = sample.load(dataflow.sample, before.parsing, reading)
    rows = [row for row in found.rows if isinstance(row, dict)]
    columns_module.check(columns, found.columns, rows, reading)
    update: dict[str, Any] = {"columns": tuple(columns)}
    if ignore_missing is not None:
        update["ignore_missing"] = ignore_missing
    save(dataflow, before.model_copy(update=update))


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


def refuse_while_running(dataflow: Dataflow) -> None:
    """What is being processed goes on by the settings that were tested."""
    if dataflow.status in IN_FORCE:  # then it is a copy that is edited
        return
    if dataflow.runs.filter(state__in=run.WAITING).exists():
        raise DataflowFault(
            "running", gettext("Data is being processed; wait until it is done and change it then.")
        )


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
            raise DataflowFault(
                "not_additive",
                gettext("The column %(name)s is in use and stays as it is.") % {"name": one.name},
            )
    if after.transformations[: len(before.transformations)] != before.transformations:
        raise DataflowFault("not_additive", gettext("Transformations in use stay as they are; add new ones."))
    mapped = {one.schema_id: one for one in after.mappings}
    for each in before.mappings:
        now = mapped.get(each.schema_id)
        if now is None or now.write_mode != each.write_mode or not each.fields.items() <= now.fields.items():
            raise DataflowFault(
                "not_additive", gettext("Mappings in use stay as they are; add fields or schemas.")
            )
