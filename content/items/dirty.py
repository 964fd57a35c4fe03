"""Dirty rows: what changed and is not yet in the read model."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice

from django.db import transaction

from content.items import announce as news
from content.items import sources
from content.items.materialise import Outcome, materialise
from content.items.record import DirtyItem

logger = logging.getLogger("personalization")

# What an editor's request does itself, some tens of milliseconds; the worker does the rest.
AT_ONCE = 50
SWEEP = 2000

_paused: ContextVar[bool] = ContextVar("lodestar_items_paused", default=False)


@contextmanager
def paused() -> Iterator[None]:
    """Leave no dirty rows inside this block; call :func:`content.items.rebuild.rebuild` after it."""
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


def mark(source: str, keys: Iterable[str], *, subtrees: Iterable[str] = ()) -> None:
    """Write down that objects changed, in the transaction of the change; materialise them after it.

    ``keys`` are keys of the source called ``source``; ``subtrees`` are what its ``below`` understands.
    """
    rows = [DirtyItem(source=source, source_id=key) for key in dict.fromkeys(keys)]
    rows += [DirtyItem(source=source, source_id=key, subtree=True) for key in dict.fromkeys(subtrees)]
    if rows and not _paused.get():
        with transaction.atomic():
            DirtyItem.objects.bulk_create(rows)
            # Robust: the change is saved; whatever fails here is swept later.
            transaction.on_commit(_after_commit, robust=True)


def _after_commit() -> None:
    _expand_subtrees(limit=AT_ONCE)
    # Newest first: in a long queue the editor's own page must not wait for others.
    _drain(limit=AT_ONCE, order="-pk")


def sweep() -> Outcome:
    """Materialise what is dirty and tell what was not told, oldest first; safe to run at any time."""
    _expand_subtrees(limit=None)
    done = _drain(limit=SWEEP, order="pk")
    news.tell_left_behind()
    return done


def _drain(*, limit: int, order: str) -> Outcome:
    rows = DirtyItem.objects.filter(subtree=False).order_by(order).values_list("source", "source_id")
    waiting: dict[str, list[str]] = {}
    for source, key in rows[:limit]:
        waiting.setdefault(source, []).append(key)
    done = Outcome()
    for name, keys in waiting.items():
        if (source_found := sources.named(name)) is None:
            _drop(name)
        else:
            done += materialise(source_found, keys)
    return done


def _drop(name: str) -> None:
    count, _ = DirtyItem.objects.filter(source=name).delete()
    logger.warning("No item source is called %r; %s changes of it were dropped.", name, count)


def _expand_subtrees(*, limit: int | None) -> None:
    """Turn each dirty subtree into dirty items; one with more than ``limit`` is left to the worker."""
    for row in DirtyItem.objects.filter(subtree=True).order_by("pk"):
        source = sources.named(row.source)
        if source is None:
            _drop(row.source)
            continue
        keys = source.below(row.source_id)
        first = list(dict.fromkeys(islice(keys, limit + 1 if limit else None)))
        if limit is None or len(first) <= limit:
            _replace(row, first)


@transaction.atomic
def _replace(row: DirtyItem, keys: list[str]) -> None:
    # The delete decides which of two processes expands the subtree.
    deleted, _ = DirtyItem.objects.filter(pk=row.pk).delete()
    if deleted:
        DirtyItem.objects.bulk_create(
            [DirtyItem(source=row.source, source_id=key) for key in keys], batch_size=1000
        )
