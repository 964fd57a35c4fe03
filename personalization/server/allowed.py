"""The hard filters of one request and level, over the columns of the catalogue."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from personalization.server import rates
from personalization.server.catalogue import Catalogue, Columns, Mask, Price
from personalization.server.categories import LearntPaths, is_below
from personalization.server.items.revisions import Key

MANY_TYPES = 8


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What an item must fulfil to be a candidate. ``tally`` counts by filter what was taken out."""

    types: tuple[int, ...] = ()  # empty: every type
    below: tuple[str, ...] = ()  # category paths, any of which is enough; empty: the whole site
    not_below: tuple[str, ...] = ()  # category paths, none of which may be above
    excluded: frozenset[Key] = field(default_factory=frozenset)
    least_prices: tuple[Price, ...] = ()  # of one unit, none of which an item may be below
    priced: bool = False  # an item without a price does not pass
    added_since: float | None = None  # seconds since 1970
    variants: bool = True  # variants pass and their base products do not; False: the other way round
    now: float
    tally: Counter[str] | None = None
    learnt: LearntPaths | None = None  # categories of items that are in no catalogue

    _out: dict[int, NDArray[np.int64]] = field(default_factory=dict, repr=False)  # of `is_excluded`

    def mask(self, catalogue: Catalogue, numbers: NDArray[np.integer]) -> Mask:
        """Which of these catalogue numbers pass; -1 is an item that is not stored."""
        columns = catalogue.columns
        known: Mask = (numbers >= 0) & (numbers < len(columns.types))
        passed = self.cut(np.ones(len(numbers), np.bool_), "not in the catalogue", known)
        if not passed.any():
            return passed
        at = np.where(passed, numbers, 0)
        passed = self.cut(
            passed, "validity", (columns.valid_from[at] <= self.now) & (columns.valid_to[at] > self.now)
        )
        if self.types:
            passed = self.cut(passed, "output type", is_one_of(columns.types[at], self.types))
        if self.below:
            passed = self.cut(passed, "category", under_any(catalogue, self.below, at))
        if self.not_below:
            passed = self.cut(passed, "excluded category", ~under_any(catalogue, self.not_below, at))
        if self.excluded:
            passed = self.cut(passed, "excluded item", ~self.is_excluded(catalogue, at))
        if self.priced or self.least_prices:
            passed = self.cut_by_price(passed, catalogue, columns, at)
        if self.added_since is not None:
            passed = self.cut(passed, "item age", columns.added[at] >= self.added_since)
        if catalogue.has_variants:
            hidden = columns.is_base[at] if self.variants else columns.is_variant[at]
            passed = self.cut(passed, "product variants", ~hidden)
        return passed

    def is_excluded(self, catalogue: Catalogue, at: NDArray[np.integer]) -> Mask:
        out = self._out.get(id(catalogue))
        if out is None:
            look = catalogue.numbers.get
            out = np.fromiter((look(key, -1) for key in self.excluded), np.int64, len(self.excluded))
            out = self._out[id(catalogue)] = out[out >= 0]
        marks = scratch.of(len(catalogue.keys))
        marks[out] = True
        found: Mask = marks[at]
        marks[out] = False
        return found

    def cut_by_price(
        self, passed: Mask, catalogue: Catalogue, columns: Columns, at: NDArray[np.integer]
    ) -> Mask:
        """Prices that are not known, or not in a currency that can be compared, are below none."""
        price, currency = columns.price[at], columns.currency[at]
        if self.priced:
            passed = self.cut(passed, "unknown price", ~np.isnan(price))
        for least in self.least_prices:
            worth = np.array([rates.worth(one, into=least.currency) for one in catalogue.currencies])
            passed = self.cut(passed, "price", ~(price * worth[currency] < least.amount))
        return passed

    def cut(self, passed: Mask, name: str, kept: Mask) -> Mask:
        if self.tally is not None and (many := int(np.count_nonzero(passed & ~kept))):
            self.tally[name] += many
        return passed & kept

    def passes(self, key: Key) -> bool:
        """The rule for customers without a catalogue, of whose items nothing but the key is known."""
        return (
            (not self.types or key[0] in self.types)
            and key not in self.excluded
            and not self.priced
            and (not self.below or is_below(self.paths(key), self.below))
            and not (self.not_below and is_below(self.paths(key), self.not_below))
        )

    def paths(self, key: Key) -> tuple[str, ...]:
        return self.learnt.of(key) if self.learnt else ()


class Scratch(threading.local):
    """A thread's array of marks, all false between uses: faster than a search in a set of numbers."""

    marks: Mask = np.zeros(0, np.bool_)

    def of(self, count: int) -> Mask:
        if len(self.marks) < count:
            self.marks = np.zeros(count, np.bool_)
        return self.marks


scratch = Scratch()


def is_one_of(values: NDArray[np.integer], wanted: tuple[int, ...]) -> Mask:
    if len(wanted) > MANY_TYPES:
        return np.isin(values, wanted)
    found: Mask = values == wanted[0]
    for one in wanted[1:]:
        found = found | (values == one)
    return found


def under_any(catalogue: Catalogue, paths: tuple[str, ...], at: NDArray[np.integer]) -> Mask:
    places = catalogue.columns.places[at]
    found: Mask = np.logical_or.reduce([catalogue.under(path)[places] for path in paths])
    return found
