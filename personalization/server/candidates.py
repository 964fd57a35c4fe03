"""Ranked candidates of one model, filtered while they are scored.

A filter applied to a finished list silently empties it; here an item that may not be recommended never
takes a place, and the walk down a ranking goes on until enough are found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from personalization.server.artefacts import Artefact
from personalization.server.catalogue import Catalogue, Mask
from personalization.server.items.revisions import Key

FIRST_CHUNK = 256


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


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """The hard filters of one request and level."""

    types: tuple[int, ...] = ()  # empty: every type
    below: tuple[str, ...] = ()  # category paths, any of which is enough; empty: the whole site
    excluded: frozenset[Key] = field(default_factory=frozenset)
    now: float

    def mask(self, catalogue: Catalogue, numbers: NDArray[np.integer]) -> Mask:
        """Which of these catalogue numbers pass; -1 is an item that is not stored."""
        columns = catalogue.columns
        known = (numbers >= 0) & (numbers < len(columns.types))
        if not known.any():
            return known
        at = np.where(known, numbers, 0)
        passed: Mask = known & (columns.valid_from[at] <= self.now) & (columns.valid_to[at] > self.now)
        if self.types:
            passed &= np.isin(columns.types[at], self.types)
        if self.below:
            places = columns.places[at]
            passed &= np.logical_or.reduce([catalogue.under(path)[places] for path in self.below])
        if self.excluded:
            out = [number for key in self.excluded if (number := catalogue.numbers.get(key)) is not None]
            passed &= ~np.isin(at, out)
        return passed

    def passes(self, key: Key) -> bool:
        """The rule for customers without a catalogue, of whose items nothing but the key is known."""
        return (not self.types or key[0] in self.types) and key not in self.excluded and not self.below


def ranked(artefact: Artefact, catalogue: Catalogue, allowed: Allowed) -> Iterator[Candidate]:
    """Items of a context-free model, best first, as many as there are."""
    if not catalogue.has_content:
        keys = (artefact.keys[row] for row in artefact.order.tolist())
        yield from (Candidate(key=key) for key in keys if allowed.passes(key))
        return
    where = numbers_of(artefact, catalogue)
    start, size = 0, FIRST_CHUNK
    while start < len(artefact.order):
        chunk = artefact.order[start : start + size]
        for row in chunk[allowed.mask(catalogue, where[chunk])].tolist():
            yield Candidate(key=artefact.keys[row])
        start, size = start + size, size * 4


def neighbours(
    artefact: Artefact, catalogue: Catalogue, allowed: Allowed, seeds: Sequence[Seed]
) -> Iterator[Candidate]:
    """Items near the seeds, best first. The scores of several seeds are added (engine-protocol.md 5.4).

    Each seed's list is scaled to its best neighbour, so that a seed with few events counts like any other.
    """
    known = [(row, seed) for seed in seeds if (row := artefact.rows.get(seed.key)) is not None]
    if not known or not artefact.neighbours.size:
        return
    rows = np.array([row for row, _ in known])
    near = np.asarray(artefact.neighbours[rows])
    scores = np.asarray(artefact.scores[rows])
    weights = np.array([seed.weight for _, seed in known], np.float32)
    scores = scores / np.maximum(scores[:, :1], np.float32(1e-12)) * weights[:, None]
    found, inverse = np.unique(near.ravel(), return_inverse=True)
    sums = np.bincount(inverse.ravel(), weights=scores.ravel(), minlength=len(found))
    order = np.lexsort((found, -sums))
    order = order[found[order] >= 0]
    best = found[order]
    if catalogue.has_content:
        passed = allowed.mask(catalogue, numbers_of(artefact, catalogue)[best])
        order, best = order[passed], best[passed]
    givers = contributors(inverse.ravel(), scores, [seed for _, seed in known])
    for place, row in zip(order.tolist(), best.tolist(), strict=True):
        key = artefact.keys[row]
        if catalogue.has_content or allowed.passes(key):
            yield Candidate(key=key, seeds=givers(place))


def contributors(
    places: NDArray[np.integer], scores: NDArray[np.float32], seeds: list[Seed]
) -> Callable[[int], tuple[Seed, ...]]:
    """A function from a place to the seeds whose lists hold it, the one that gave it most first.

    ``places``: the place of each of ``scores``, whose rows belong to ``seeds``.
    """
    strongest = np.lexsort((-scores.ravel(), places))
    givers = strongest // scores.shape[1]
    ends = np.cumsum(np.bincount(places))
    begins = np.append(0, ends)

    def of(place: int) -> tuple[Seed, ...]:
        return tuple(seeds[one] for one in givers[begins[place] : ends[place]].tolist())

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
    look = catalogue.numbers.get
    numbers = np.fromiter((look(seed.key, -1) for seed in seeds), np.int64, len(seeds))
    passed = allowed.mask(catalogue, numbers) if catalogue.has_content else np.ones(len(seeds), bool)
    for seed, passes in zip(seeds, passed.tolist(), strict=True):
        if passes and (catalogue.has_content or allowed.passes(seed.key)):
            yield Candidate(key=seed.key)  # it does not follow from itself


def numbers_of(artefact: Artefact, catalogue: Catalogue) -> NDArray[np.int64]:
    """Catalogue number of each row of the artefact, -1 for items that are not stored."""
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
