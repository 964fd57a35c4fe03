"""The five stages of the dataflow creator: which is complete, what is missing (reference `cdp.md` 2.2)."""

from __future__ import annotations

from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cdp.dataflows import mapping, naming
from cdp.dataflows.configuration import Configuration, hash_of, load
from cdp.dataflows.mapping import Problem
from cdp.dataflows.models import Dataflow, Schema
from cdp.dataflows.schemas import definitions


class Stage(models.TextChoices):
    GENERAL = "general", _("General Information")
    DOWNLOAD = "download", _("Download")
    MAPPING = "mapping", _("File mapping")
    TRANSFORM = "transform", _("Transform & Map")
    ACTIVATION = "activation", _("Activation")


class Missing(NamedTuple):
    """By stage what keeps it from being complete; a stage that is complete has nothing."""

    problems: dict[str, list[Problem]]

    @property
    def first(self) -> str:
        """The first stage that is not complete; the last one if all are."""
        return next((one for one in Stage.values if self.problems[one]), Stage.ACTIVATION)

    def is_open(self, stage: str) -> bool:
        """Whether every stage before it is complete."""
        return Stage.values.index(stage) <= Stage.values.index(self.first)


def in_hand(dataflow: Dataflow) -> Configuration:
    """What is being edited: the working copy of a dataflow in force, else its configuration."""
    return load(dataflow.working_copy or dataflow.configuration)


def schemas_of(configuration: Configuration) -> dict[int, Schema]:
    keys = [one.schema_id for one in configuration.mappings]
    return Schema.objects.prefetch_related("fields").in_bulk(keys)


def current_hash(dataflow: Dataflow) -> str:
    configuration = in_hand(dataflow)
    return hash_of(configuration, definitions(list(schemas_of(configuration).values())))


def missing(dataflow: Dataflow) -> Missing:
    configuration = in_hand(dataflow)
    problems: dict[str, list[Problem]] = {one: [] for one in Stage.values}
    if dataflow.sample_id is None:
        problems[Stage.DOWNLOAD].append(
            Problem("not_validated", gettext("Send a draft and validate it."), "sample")
        )
    problems[Stage.MAPPING] = of_columns(dataflow, configuration)
    schemas = schemas_of(configuration)
    problems[Stage.TRANSFORM] = mapping.problems(configuration, schemas)
    problems[Stage.TRANSFORM] += naming.problems(dataflow.account, schemas.values())
    if dataflow.status not in (Dataflow.Status.ACTIVE, Dataflow.Status.PAUSED):
        problems[Stage.ACTIVATION] = [
            Problem("not_active", gettext("Test the dataflow and activate it."), "status")
        ]
    elif dataflow.working_copy:
        problems[Stage.ACTIVATION] = [
            Problem("not_tested", gettext("Test the changes and put them in force."))
        ]
    return Missing(problems)


def of_columns(dataflow: Dataflow, configuration: Configuration) -> list[Problem]:
    if configuration.parsing is None:
        return [
            Problem(
                "unrecognized_format", gettext("The format is not recognised: fill in the options."), "format"
            )
        ]
    if dataflow.parse_required:
        return [Problem("parse_required", gettext("Press Parse File to make the columns anew."), "parse")]
    if not configuration.columns:
        return [Problem("columns_required", gettext("The file has no columns."), "columns")]
    return []
