"""What deliveries hold of a person: samples, runs that wait or are held, rows that were refused
(reference `cdp.md` 6.4, case T13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from django.db.models import F

from cdp.dataflows import lanes, payloads, sample
from cdp.dataflows.belonging import Belonging
from cdp.dataflows.configuration import Configuration, Parsing, load
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.interpret.cut import Taken, cut
from cdp.dataflows.interpret.detect import detect
from cdp.dataflows.models import Dataflow, Payload, RowError, Run
from cdp.dataflows.plan import masked
from cdp.profiles import places
from cdp.profiles.places import Whom
from config.sealing import Unsealable


class Deliveries:
    name = "deliveries"

    def find(self, whom: Whom) -> Iterator[dict[str, Any]]:
        for payload, belonging in held(whom):
            run = payload.run
            for row in without(payload, belonging).rows:
                yield {
                    "dataflow": run.dataflow.name,
                    "run": str(run.number),
                    "state": run.state,
                    "row": row,
                }

    def erase(self, whom: Whom) -> int:
        """Chunk by chunk, so that deliveries are held up for no longer than one takes."""
        count = 0
        for payload, belonging in held(whom):
            if without(payload, belonging).rows:
                count += erase_from(payload, belonging)
        errors = RowError.objects.filter(run__dataflow__account=whom.account)
        errors.filter(value__in={masked(one.text) for one in whom.names}).update(value="")
        return count


def erase_from(payload: Payload, belonging: Belonging) -> int:
    """How many rows that was. The chunk may have been processed meanwhile."""
    with lanes.processing(payload.run.dataflow_id):
        now = chunk(payload.pk)
        return rewrite(now, without(now, belonging)) if now is not None else 0


def chunk(pk: int) -> Payload | None:
    return Payload.objects.select_related("run__dataflow").filter(pk=pk).first()


def held(whom: Whom) -> Iterator[tuple[Payload, Belonging]]:
    """The chunks of the account that hold rows. They are read one by one: each may have a mebibyte."""
    for dataflow in Dataflow.objects.filter(account=whom.account).select_related("account").order_by("pk"):
        belonging = belonging_of(dataflow, whom)
        chunks = Payload.objects.filter(run__dataflow=dataflow).exclude(sealed="", sealed_refused="")
        for pk in list(chunks.order_by("pk").values_list("pk", flat=True)):
            if (payload := chunk(pk)) is not None:
                yield payload, belonging


def belonging_of(dataflow: Dataflow, whom: Whom) -> Belonging:
    try:
        settings = load(dataflow.configuration)
    except DataflowFault:  # no version of ours wrote it; every value is compared
        settings = Configuration()
    return Belonging(whom.names, settings, sample.reading_of(dataflow, settings.parsing))


class Without:
    """A chunk without the rows of a person; ``rows`` are these."""

    def __init__(self) -> None:
        self.body: Taken = []
        self.refused: Taken = []
        self.changes: dict[str, Any] = {}

    @property
    def rows(self) -> Taken:
        return self.body + self.refused


def without(payload: Payload, belonging: Belonging) -> Without:
    """What was sealed with a key that is gone is gone too, and has nothing to find."""
    found = Without()
    try:
        if payload.sealed:
            body = payloads.unseal(payload.sealed)
            parsing = parsing_of(body, payload, belonging.configuration)
            left, found.body = cut(body, parsing, belonging, content_type=payload.content_type)
            if found.body:
                found.changes["sealed"] = payloads.seal(left)
        if payload.sealed_refused:
            rows = orjson.loads(payloads.unseal(payload.sealed_refused))
            theirs = [belonging.text(row) if isinstance(row, str) else belonging.row(row) for row in rows]
            found.refused = [row for row, is_theirs in zip(rows, theirs, strict=True) if is_theirs]
            if found.refused:
                left_rows = [row for row, is_theirs in zip(rows, theirs, strict=True) if not is_theirs]
                found.changes["sealed_refused"] = payloads.seal_rows(left_rows)
    except Unsealable:
        pass
    return found


def parsing_of(body: bytes, payload: Payload, settings: Configuration) -> Parsing | None:
    """How the dataflow reads it; before that is settled, how it seems to be read."""
    is_draft = payload.run.kind == Run.Kind.SAMPLE and payload.run_id != payload.run.dataflow.sample_id
    if settings.parsing is not None and not is_draft:
        return settings.parsing
    try:
        return detect(body, content_type=payload.content_type) or settings.parsing
    except DataflowFault:
        return None


def rewrite(payload: Payload, found: Without) -> int:
    """Store it. Rows that wait no more are counted no more: the counts of their run go on adding up."""
    if not found.changes:
        return 0
    gone = min(len(found.body), payload.rows)
    Payload.objects.filter(pk=payload.pk).update(rows=payload.rows - gone, **found.changes)
    Run.objects.filter(pk=payload.run_id).update(received=F("received") - gone)
    return len(found.rows)


places.register(Deliveries())
