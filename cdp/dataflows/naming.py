"""Which person identifiers the rows of a dataflow name people by, and whether these are still in use."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext

from cdp.dataflows.configuration import Configuration, load
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.mapping import Problem
from cdp.dataflows.models import Dataflow, Run, Schema
from cdp.profiles import kinds
from cdp.profiles.models import Account, PersonIdentifier

IN_FORCE = (Dataflow.Status.ACTIVE, Dataflow.Status.PAUSED)
WAITING = (Run.State.QUEUED, Run.State.RUNNING)


def fields_of(configuration: Configuration, schemas: Mapping[int, Schema]) -> set[str]:
    """Names of mapped fields of schemas about people; those called like an identifier name the person."""
    people = {pk for pk, schema in schemas.items() if schema.kind != Schema.Kind.CATALOG}
    return {name for one in configuration.mappings if one.schema_id in people for name in one.fields}


@kinds.register
def used(kind: PersonIdentifier) -> list[str]:
    """Dataflows that are active, paused or being worked off and map a field of this name."""
    running = Exists(Run.objects.filter(dataflow=OuterRef("pk"), state__in=WAITING))
    rows = Dataflow.objects.filter(Q(status__in=IN_FORCE) | Q(running), account=kind.account_id)
    found = []
    for dataflow in rows.order_by("name"):
        documents = [load(one) for one in (dataflow.configuration, dataflow.working_copy) if one]
        keys = {mapping.schema_id for one in documents for mapping in one.mappings}
        schemas = Schema.objects.in_bulk(list(keys))
        if any(kind.name in fields_of(one, schemas) for one in documents):
            words = gettext("the dataflow %(name)s (%(status)s)")
            found.append(words % {"name": dataflow.name, "status": dataflow.get_status_display()})
    return found


def problems(account: Account, schemas: Collection[Schema]) -> list[Problem]:
    """Mapped schemas whose person identifier was deactivated."""
    wanted = {one.identifier for one in schemas if one.identifier}
    gone = kinds.deactivated(account) & wanted if wanted else frozenset()
    return [
        Problem("identifier_deactivated", sentence(one), "mappings")
        for one in schemas
        if one.identifier in gone
    ]


def sentence(schema: Schema) -> str:
    words = gettext(
        "The person identifier %(identifier)s of schema %(schema)s is deactivated; map another schema."
    )
    return words % {"identifier": schema.identifier, "schema": schema.name}


def keep(account: Account, schemas: Collection[Schema]) -> None:
    """Nobody deactivates what these are known by until the caller's transaction ends.

    Raises :class:`DataflowFault` where somebody did.
    """
    list(kinds.lock(account, {one.identifier for one in schemas}))
    if found := problems(account, schemas):
        raise DataflowFault(found[0].code, found[0].sentence, field=found[0].field)
