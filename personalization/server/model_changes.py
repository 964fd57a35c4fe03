"""Every change that people make to a model: its name, its parameters, its divisions, its list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from pydantic import ValidationError

from config.jobs.models import Job, State
from personalization.server import bounds, editorial, training
from personalization.server.divisions import Divisions
from personalization.server.items import ids
from personalization.server.learning import registry
from personalization.server.learning.base import Serves
from personalization.server.models import Model
from personalization.server.wrong import Problem, Wrong, sentence

LISTS = {Serves.LIST, Serves.NOTHING}


def save(model: Model, *, name: str, parameters: Mapping[str, Any], divisions: Mapping[str, Any]) -> bool:
    """Store what an editor set; whether the next build will learn otherwise than the one that serves.

    ``parameters``: only those that were set, the rest are found or the kind's own. Raises :class:`Wrong`.
    """
    kind = registry.kind(model.kind)
    problems = [Problem("name", gettext("Enter a name."))] if not name.strip() else []
    try:
        registry.with_defaults(kind, parameters)
    except ValueError as error:
        problems.append(Problem("parameters", str(error)))
    problems += [Problem(f"parameter-{key}", said) for key, said in bounds.problems(kind, parameters).items()]
    document = checked_divisions(divisions, problems)
    if document and not kind.divides:
        problems.append(Problem("divisions", gettext("Models of this kind cannot be divided.")))
    if problems:
        raise Wrong(problems)
    with transaction.atomic():
        row = Model.objects.select_for_update().get(pk=model.pk)
        learns = (row.parameters, row.divisions) != (dict(parameters), document)
        row.name, row.parameters, row.divisions = name.strip()[:128], dict(parameters), document
        row.save(update_fields=["name", "parameters", "divisions"])
    return learns and kind.trained


def checked_divisions(divisions: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The document as it is stored, {} for none; what is wrong with it is added to ``problems``."""
    if not any(value for name, value in divisions.items() if name != "version"):
        return {}
    try:
        return Divisions.model_validate(divisions).model_dump(mode="json")
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            problems.append(Problem(str(fault["loc"][0]) if fault["loc"] else "divisions", sentence(fault)))
        return {}


def trigger_build(model: Model) -> Job:
    """Have a model learnt as soon as a worker is free; one that waits or runs already is not asked again.

    Raises :class:`Wrong` for a kind that learns nothing.
    """
    if not registry.kind(model.kind).trained:
        raise Wrong(
            [Problem("", gettext("Models of this kind are computed for each request; nothing is built."))]
        )
    if job := open_build(model):
        return job
    training.enqueue(model)
    return Job.objects.filter(kind=training.JOB, key=model.job_key).latest("pk")


def open_build(model: Model) -> Job | None:
    """The build that waits or runs."""
    rows = Job.objects.filter(kind=training.JOB, key=model.job_key, state__in=[State.QUEUED, State.RUNNING])
    return rows.order_by("-pk").first()


def list_name(model: Model) -> str:
    """The identifier of the list that editors keep for a model, "" for kinds without one."""
    if registry.kind(model.kind).serves not in LISTS:
        return ""
    return str(model.parameters.get("list") or model.identifier)


def save_list(model: Model, keys: Sequence[tuple[str, str]], *, alphanumeric: bool) -> int:
    """Make these items (type, id), the first the most relevant, a model's list. Raises :class:`Wrong`."""
    try:
        entries = [
            (item_type(kind), ids.checked(item, alphanumeric=alphanumeric, name=gettext("the item id")), 0)
            for kind, item in keys
        ]
        placed = [(kind, item, len(entries) - place) for place, (kind, item, _) in enumerate(entries)]
        editorial.replace(model.customer_id, list_name(model), placed)
    except (ids.BadId, editorial.WrongList) as fault:
        raise Wrong([Problem("entries", str(fault))]) from None
    return len(placed)


def item_type(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) < 2**31:
        return int(text)
    raise ids.BadId(gettext("An item is written as type/id, such as 38/4711; got %s") % f"{text[:40]!r}")
