"""Ranked candidates of one model, filtered while they are scored.

A filter applied to a finished list silently empties it; here an item that may not be recommended never
takes a place, and the walk down a ranking goes on until enough are found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.server.allowed import Allowed
from personalization.server.artefacts import Artefact
from personalization.server.catalogue import Catalogue, Mask
from personalization.server.items.revisions import Key

FIRST_CHUNK = 256
# Up to so many items sums are kept in an array with a place for each, beyond in one of those that were met.
DENSE_ITEMS = 200_000


@dataclass(frozen=True, kw_only=True)
class Seed:
    """An item that recommendations start from. ``source``: REQUEST or the event it was part of."""

    key: Key
    source: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An item and the seeds it follows from, strongest first (none for context-free models)."""

    key: Key
    seeds: tuple[Seed, ...] = ()


def ranked(
    artefact: Artefact, catalogue: Catalogue, allowed: Allowed, *, within: Mask | None = None
) -> Iterator[Candidate]:
    """Items of a context-free model, best first, as many as there are. ``within``: only these rows."""
    order = artefact.order if within is None else artefact.order[within[artefact.order]]
    yield from in_order(order, artefact, catalogue, allowed)


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
    known = [(row, seed) for seed in seeds if (row := artefact.rows.get(seed.key)) is not None]
    if not known or not artefact.neighbours.size:
        return
    rows = np.array([row for row, _ in known])
    near = np.asarray(artefact.neighbours[rows])
    scores = np.asarray(artefact.scores[rows])
    weights = np.array([seed.weight for _, seed in known], np.float32)
    if scaled:
        scores = scores / np.maximum(scores[:, :1], np.float32(1e-12))
    scores = scores * weights[:, None]
    best = summed(near, scores, count=len(artefact.keys))
    if within is not None:
        best = best[within[best]]
    if catalogue.has_content:
        best = best[allowed.mask(catalogue, numbers_of(artefact, catalogue)[best])]
    givers = contributors(near, scores, [seed for _, seed in known])
    for row in best.tolist():
        key = artefact.keys[row]
        if catalogue.has_content or allowed.passes(key):
            yield Candidate(key=key, seeds=givers(row))


def summed(near: NDArray[np.int32], scores: NDArray[np.floating], *, count: int) -> NDArray[np.integer]:
    """Rows that have a positive sum of scores, the highest first; equal ones by row number."""
    rows, values = near.ravel(), scores.ravel()
    if count <= DENSE_ITEMS:
        # The last place takes what is no neighbour.
        sums = np.bincount(np.where(rows < 0, count, rows), weights=values, minlength=count + 1)[:count]
        found = np.flatnonzero(sums > 0)
        sums = sums[found]
    else:
        found, inverse = np.unique(rows, return_inverse=True)
        sums = np.bincount(inverse.ravel(), weights=values)
        kept = (found >= 0) & (sums > 0)
        found, sums = found[kept], sums[kept]
    return found[np.lexsort((found, -sums))]


def contributors(
    near: NDArray[np.int32], scores: NDArray[np.floating], seeds: list[Seed]
) -> Callable[[int], tuple[Seed, ...]]:
    """A function from a row to the seeds whose lists hold it, the one that gave it most first."""

    def of(row: int) -> tuple[Seed, ...]:
        giver, place = np.nonzero(near == row)
        given = scores[giver, place]
        order = np.argsort(-given, kind="stable")
        return tuple(seeds[giver[one]] for one in order.tolist() if given[one] > 0)

    return of


def newest(catalogue: Catalogue, allowed: Allowed, *, oldest: float) -> Iterator[Candidate]:
    """The latest additions received after ``oldest`` (seconds since 1970), newest first."""
    columns = catalogue.columns
    order = columns.newest
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
