"""Ranked candidates of one model, filtered while they are scored.

A filter applied to a finished list silently empties it; here an item that may not be recommended never
takes a place, and the walk down a ranking goes on until enough are found.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from personalization.server.allowed import Allowed
from personalization.server.artefacts import Artefact
from personalization.server.catalogue import Catalogue, Mask
from personalization.server.items.revisions import Key

FIRST_CHUNK = 256


# Tuples, for a call makes dozens of them: a frozen dataclass takes four times as long.
class Seed(NamedTuple):
    """An item that recommendations start from. ``source``: REQUEST or the event it was part of."""

    key: Key
    source: str
    weight: float = 1.0


class Candidate(NamedTuple):
    """An item and the seeds it follows from, strongest first (none for context-free models)."""

    key: Key
    seeds: tuple[Seed, ...] = ()


def ranked(
    artefact: Artefact, catalogue: Catalogue, allowed: Allowed, *, within: Mask | None = None
) -> Iterator[Candidate]:
    """Items of a context-free model, best first, as many as there are. ``within``: only these rows."""
    few = catalogue.few_below(allowed.below) if allowed.below and catalogue.has_content else None
    order: NDArray[np.integer] = artefact.order if few is None else rows_among(artefact, catalogue, few)
    if within is not None:
        order = order[within[order]]
    yield from in_order(order, artefact, catalogue, allowed)


def rows_among(artefact: Artefact, catalogue: Catalogue, numbers: NDArray[np.integer]) -> NDArray[np.integer]:
    """The ranked rows of some of the catalogue's numbers, the best first."""
    rows = rows_of(artefact, catalogue)[numbers]
    rows = rows[rows >= 0]
    if "rank" not in artefact.made:
        rank = np.full(len(artefact.keys), -1, np.int32)
        rank[artefact.order] = np.arange(len(artefact.order), dtype=np.int32)
        artefact.made["rank"] = rank
    ranks = artefact.made["rank"][rows]
    rows, ranks = rows[ranks >= 0], ranks[ranks >= 0]
    found: NDArray[np.integer] = rows[np.argsort(ranks, kind="stable")]
    return found


def rows_of(artefact: Artefact, catalogue: Catalogue) -> NDArray[np.int64]:
    """The row of each catalogue number, -1 for items that the artefact does not know."""
    numbers = numbers_of(artefact, catalogue)
    whole = artefact.whole or artefact
    known: tuple[NDArray[np.int64], NDArray[np.int64]] | None = whole.made.get("rows_of")
    if known is None or known[0] is not numbers or len(known[1]) < len(catalogue.keys):
        rows = np.full(len(catalogue.keys), -1, np.int64)
        stored = numbers >= 0
        rows[numbers[stored]] = np.flatnonzero(stored)
        known = whole.made["rows_of"] = (numbers, rows)
    return known[1]


def in_order(
    order: NDArray[np.integer], artefact: Artefact, catalogue: Catalogue, allowed: Allowed
) -> Iterator[Candidate]:
    """The items of these rows, in this order, as far as they pass."""
    if not catalogue.has_content:
        keys = (artefact.keys[row] for row in order.tolist())
        yield from (Candidate(key=key) for key in keys if allowed.passes(key))
        return
    where = numbers_of(artefact, catalogue)
    start, size = 0, FIRST_CHUNK
    while start < len(order):
        chunk = order[start : start + size]
        for row in chunk[allowed.mask(catalogue, where[chunk])].tolist():
            yield Candidate(key=artefact.keys[row])
        start, size = start + size, size * 4


def neighbours(
    artefact: Artefact,
    catalogue: Catalogue,
    allowed: Allowed,
    seeds: Sequence[Seed],
    *,
    scaled: bool = True,
    within: Mask | None = None,
) -> Iterator[Candidate]:
    """Items near the seeds, best first. The scores of several seeds are added (engine-protocol.md 5.4).

    ``scaled``: each seed's list is scaled to its best neighbour, so that a seed with few events counts like
    any other. Seeds of negative weight lead away from what is near to them.
    """
    known = [
        (row, seed) for row, seed in zip(rows_for(artefact, catalogue, seeds), seeds, strict=True) if row >= 0
    ]
    if not known or not artefact.neighbours.size:
        return
    rows = np.array([row for row, _ in known])
    near, scores = artefact.neighbours[rows], artefact.scores[rows]
    weights = np.array([seed.weight for _, seed in known], np.float32)
    if scaled:
        scores = scores / np.maximum(scores[:, :1], np.float32(1e-12))
    scores = scores * weights[:, None]
    found, sums = sums_of(near, scores, count=len(artefact.keys))
    if within is not None:
        inside = within[found]
        found, sums = found[inside], sums[inside]
    givers = contributors(near, scores, [seed for _, seed in known])
    for best in best_first(found, sums):
        # Filtered piece by piece: the columns of a large catalogue are far apart in memory.
        passed = (
            best[allowed.mask(catalogue, numbers_of(artefact, catalogue)[best])]
            if catalogue.has_content
            else best
        )
        for row in passed.tolist():
            key = artefact.keys[row]
            if catalogue.has_content or allowed.passes(key):
                yield Candidate(key=key, seeds=givers(row))


def rows_for(artefact: Artefact, catalogue: Catalogue, seeds: Sequence[Seed]) -> list[int]:
    """The model's row of each seed, -1 where it has none.

    Through the catalogue where it knows the item: the filters look there for the same keys, and in a table of
    a million a second look costs next to nothing while the first waits for memory.
    """
    numbers = [catalogue.numbers.get(seed.key, -1) for seed in seeds]
    if min(numbers, default=-1) < 0:
        return [artefact.rows.get(seed.key, -1) for seed in seeds]
    found: list[int] = rows_of(artefact, catalogue)[numbers].tolist()
    return found


def summed(near: NDArray[np.int32], scores: NDArray[np.floating], *, count: int) -> NDArray[np.integer]:
    """Rows that have a positive sum of scores, the highest first; equal ones by row number."""
    found, sums = sums_of(near, scores, count=count)
    return found[np.lexsort((found, -sums))]


def sums_of(
    near: NDArray[np.int32], scores: NDArray[np.floating], *, count: int
) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
    """Rows that have a positive sum of scores, each once, in no order, and the sums."""
    rows, values = near.ravel(), scores.ravel()
    room = buffer.of(count)
    known = np.flatnonzero(rows >= 0)
    # Of one type with the array of sums: adding up others takes ten times as long.
    rows, values = rows[known], values[known].astype(room.dtype)
    np.add.at(room, rows, values)
    sums = room[rows]
    # Of a row that stands several times the last place is kept.
    room[rows] = np.arange(len(rows), dtype=room.dtype)
    kept = np.flatnonzero((room[rows] == np.arange(len(rows))) & (sums > 0))
    room[rows] = 0
    return rows[kept], sums[kept]


class Buffer(threading.local):
    """A thread's array of zeros, for sums over all items of a model."""

    values: NDArray[np.float64] = np.zeros(0)

    def of(self, count: int) -> NDArray[np.float64]:
        """At least ``count`` zeros; whoever changes some sets them back."""
        if len(self.values) < count:
            self.values = np.zeros(count)
        return self.values


buffer = Buffer()


def best_first(rows: NDArray[np.integer], sums: NDArray[np.floating]) -> Iterator[NDArray[np.integer]]:
    """The rows by their sums, the highest first, in pieces that grow: most requests end with the first."""
    size = FIRST_CHUNK
    while len(rows) > 2 * size:
        border = -np.partition(-sums, size)[size]
        # Equal ones at the border belong together, or their order would depend on the partition.
        first = sums > border
        yield rows[first][np.lexsort((rows[first], -sums[first]))]
        rows, sums, size = rows[~first], sums[~first], size * 4
    yield rows[np.lexsort((rows, -sums))]


def contributors(
    near: NDArray[np.int32], scores: NDArray[np.floating], seeds: list[Seed]
) -> Callable[[int], tuple[Seed, ...]]:
    """A function from a row to the seeds whose lists hold it, the one that gave it most first."""

    flat, width = near.ravel(), near.shape[1]

    def of(row: int) -> tuple[Seed, ...]:
        places = np.flatnonzero(flat == row)
        given = [(-float(scores.flat[place]), place // width) for place in places.tolist()]
        return tuple(seeds[giver] for score, giver in sorted(given) if score < 0)

    return of


def newest(catalogue: Catalogue, allowed: Allowed, *, oldest: float) -> Iterator[Candidate]:
    """The latest additions received after ``oldest`` (seconds since 1970), newest first."""
    columns = catalogue.columns
    order = columns.newest
    few = catalogue.few_below(allowed.below) if allowed.below else None
    if few is not None:
        order = few[np.lexsort((few, -columns.valid_from[few], -columns.added[few]))]
    start, size = 0, FIRST_CHUNK
    while start < len(order):
        chunk = order[start : start + size]
        passed = allowed.mask(catalogue, chunk) & (columns.added[chunk] >= oldest)
        for number in chunk[passed].tolist():
            yield Candidate(key=catalogue.keys[number])
        start, size = start + size, size * 4


def repeated(catalogue: Catalogue, allowed: Allowed, seeds: Sequence[Seed]) -> Iterator[Candidate]:
    """The seeds themselves, in their order."""
    passed = passing(catalogue, allowed, [seed.key for seed in seeds])
    # They do not follow from themselves.
    yield from (Candidate(key=key) for key in passed)


def passing(catalogue: Catalogue, allowed: Allowed, keys: Sequence[Key]) -> list[Key]:
    """Those of some items that may be recommended, in their order."""
    if not catalogue.has_content:
        return [key for key in keys if allowed.passes(key)]
    look = catalogue.numbers.get
    numbers = np.fromiter((look(key, -1) for key in keys), np.int64, len(keys))
    passed = allowed.mask(catalogue, numbers)
    return [key for key, passes in zip(keys, passed.tolist(), strict=True) if passes]


def numbers_of(artefact: Artefact, catalogue: Catalogue) -> NDArray[np.int64]:
    """Catalogue number of each row of the artefact, -1 for items that are not stored."""
    artefact = artefact.whole or artefact
    known: tuple[Catalogue, int, NDArray[np.int64]] | None = artefact.placed
    count = len(catalogue.keys)
    if known is None or known[0] is not catalogue:
        look = catalogue.numbers.get
        numbers = np.fromiter((look(key, -1) for key in artefact.keys), np.int64, len(artefact.keys))
    elif known[1] == count:
        return known[2]
    else:
        numbers = known[2].copy()
        for number in range(known[1], count):
            if (row := artefact.rows.get(catalogue.keys[number])) is not None:
                numbers[row] = number
    artefact.placed = (catalogue, count, numbers)
    return numbers


def merged(streams: Sequence[Iterator[Candidate]]) -> Iterator[Candidate]:
    """Several rankings as one, where their scores cannot be compared: reciprocal rank fusion.

    Cormack, Clarke and Buettcher 2009, "Reciprocal rank fusion outperforms Condorcet and individual rank
    learning methods".
    """
    if len(streams) == 1:
        yield from streams[0]
        return
    sums: dict[Key, float] = {}
    found: dict[Key, Candidate] = {}
    for stream in streams:
        for place, one in zip(range(FUSED), stream, strict=False):
            sums[one.key] = sums.get(one.key, 0.0) + 1 / (FUSION + place)
            found.setdefault(one.key, one)
    yield from (found[key] for key, _ in sorted(sums.items(), key=lambda pair: -pair[1]))


# The constant of the paper, and how far down each ranking is looked.
FUSION, FUSED = 60, 500
