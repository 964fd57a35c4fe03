"""One export: rows from where it stands, chunk by chunk, each noted when the receiver has it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.utils import timezone

from cdp.export import rows
from cdp.export.chunks import Chunk, Written, chunks
from cdp.export.models import StreamRun
from cdp.export.order import Order
from cdp.export.send import Stream, StreamError

logger = logging.getLogger("cdp")


class WrongRun(Exception):
    """This run cannot be continued with these options; the message says why."""


def quiet(_done: int) -> None:
    pass


@dataclass(kw_only=True)
class Told:
    """Who hears of a run while it goes on. ``problem``: a sentence; ``row``: one as JSON, before it goes."""

    problem: Callable[[str], None]
    row: Callable[[bytes], None] | None = None
    progress: Callable[[int], None] = quiet


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """``left_out``: reason -> values of content that could not go out. ``was_done``: before this call."""

    run: StreamRun
    left_out: dict[str, int] = field(default_factory=dict)
    was_done: bool = False


def execute(order: Order, told: Told) -> Outcome:
    """Send everything, or the rest of a run that broke off.

    Raises :class:`WrongRun`, :class:`~cdp.export.send.StreamError` and, in a strict run,
    :class:`~cdp.export.values.RowError`; the row has what was accepted, and a later call with its id goes on.
    """
    run = begun(order)
    if run.state == StreamRun.State.DONE:
        return Outcome(run=run, was_done=True)
    if run.is_final:  # it died between its last chunk and its end
        ended(run, StreamRun.State.DONE)
        return Outcome(run=run, was_done=True)
    if not order.dry_run:
        logger.info("Stream run %s begins: %s at chunk %d.", run.pk, order.kind, run.chunks)
    try:
        left_out = send_all(order, run, told)
    except Exception as error:
        ended(run, StreamRun.State.FAILED, error=str(error) if is_ours(error) else type(error).__name__)
        raise
    ended(run, StreamRun.State.DONE)
    return Outcome(run=run, left_out=left_out)


def send_all(order: Order, run: StreamRun, told: Told) -> dict[str, int]:
    stream = Stream(
        url=f"{order.endpoint}/stream/{order.account}",
        stream_id=order.stream_id,
        run_id=str(run.pk),
        is_draft=order.is_draft,
        say=told.problem,
    )
    source = rows.Source(order=order, position=run.position, problem=told.problem)
    for chunk in chunks(limited(source, order, run, told), size=order.chunk_size):
        if not order.dry_run:
            stream.send(chunk, sequence=run.chunks)
        accepted(run, chunk, skipped=source.take_skipped(), dry_run=order.dry_run)
        told.progress(run.rows)
    return source.left_out


def limited(source: rows.Source, order: Order, run: StreamRun, told: Told) -> Iterator[Written]:
    left = None if order.limit is None else max(order.limit - run.rows, 0)
    for row in islice(source, left):
        if told.row:
            told.row(row.body)
        yield row


def begun(order: Order) -> StreamRun:
    """The run of this id: a new one, or the one that broke off. Raises :class:`WrongRun`."""
    about = {
        "kind": order.kind,
        "item_type": order.item_type,
        "site": order.site.name,
        "account": order.account,
        "stream": order.stream,
        "is_draft": order.is_draft,
    }
    if order.dry_run:
        return StreamRun(id=order.run_id, **about)
    run, is_new = StreamRun.objects.get_or_create(id=order.run_id, defaults=about)
    other = [name for name, value in about.items() if getattr(run, name) != value]
    if other:
        raise WrongRun(
            f"Run {order.run_id} was begun with another {other[0].replace('_', ' ')}. Repeat the options that"
            " it was begun with, or start a new one, without --run-id."
        )
    if not is_new and run.state == StreamRun.State.FAILED:
        StreamRun.objects.filter(pk=run.pk).update(state=StreamRun.State.RUNNING, error="", finished_at=None)
        run.state = StreamRun.State.RUNNING
    return run


def accepted(run: StreamRun, chunk: Chunk, *, skipped: int, dry_run: bool) -> None:
    """Note that the receiver has a chunk. Raises :class:`WrongRun` when another process sends the run."""
    before = run.chunks
    run.chunks, run.rows, run.skipped = run.chunks + 1, run.rows + chunk.rows, run.skipped + skipped
    run.position, run.is_final = chunk.position or run.position, chunk.is_final
    if dry_run:
        return
    changed = StreamRun.objects.filter(pk=run.pk, chunks=before).update(
        chunks=run.chunks, rows=run.rows, skipped=run.skipped, position=run.position, is_final=run.is_final
    )
    if not changed:
        raise WrongRun(f"Another process sends run {run.pk}, too. It goes on alone.")


def ended(run: StreamRun, state: StreamRun.State, *, error: str = "") -> None:
    if run._state.adding:  # a dry run
        return
    run.state, run.error, run.finished_at = state, error, timezone.now()
    run.save(update_fields=["state", "error", "finished_at"])
    logger.info(
        "Stream run %s %s: %d rows in %d chunks, %d skipped.",
        run.pk,
        state,
        run.rows,
        run.chunks,
        run.skipped,
    )


def is_ours(error: Exception) -> bool:
    """Whether the message is ours and names no person."""
    return isinstance(error, StreamError | WrongRun)
