"""The hard filters of one request and level, over the columns of the catalogue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from personalization.server.catalogue import Catalogue, Mask
from personalization.server.categories import LearntPaths, is_below
from personalization.server.items.revisions import Key


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What an item must fulfil to be a candidate. ``tally`` counts by filter what was taken out."""

    types: tuple[int, ...] = ()  # empty: every type
    below: tuple[str, ...] = ()  # category paths, any of which is enough; empty: the whole site
    not_below: tuple[str, ...] = ()  # category paths, none of which may be above
    excluded: frozenset[Key] = field(default_factory=frozenset)
    least_price: float | None = None  # of one unit
    priced: bool = False  # an item without a price does not pass
    added_since: float | None = None  # seconds since 1970
    variants: bool = True  # variants pass and their base products do not; False: the other way round
    now: float
    tally: Counter[str] | None = None
    learnt: LearntPaths | None = None  # categories of items that are in no catalogue

    def mask(self, catalogue: Catalogue, numbers: NDArray[np.integer]) -> Mask:
        """Which of these catalogue numbers pass; -1 is an item that is not stored."""
        columns = catalogue.columns
        passed: Mask = (numbers >= 0) & (numbers < len(columns.types))
        self.count("not in the catalogue", ~passed)
        if not passed.any():
            return passed
        at = np.where(passed, numbers, 0)
        passed = self.cut(
            passed, "validity", (columns.valid_from[at] <= self.now) & (columns.valid_to[at] > self.now)
        )
        if self.types:
            passed = self.cut(passed, "output type", np.isin(columns.types[at], self.types))
        if self.below:
            passed = self.cut(passed, "category", under_any(catalogue, self.below, at))
        if self.not_below:
            passed = self.cut(passed, "excluded category", ~under_any(catalogue, self.not_below, at))
        if self.excluded:
            out = [number for key in self.excluded if (number := catalogue.numbers.get(key)) is not None]
            passed = self.cut(passed, "excluded item", ~np.isin(at, out))
        passed = self.cut_by_price(passed, columns.price[at])
        if self.added_since is not None:
            passed = self.cut(passed, "item age", columns.added[at] >= self.added_since)
        if catalogue.has_variants:
            hidden = columns.is_base[at] if self.variants else columns.is_variant[at]
            passed = self.cut(passed, "product variants", ~hidden)
        return passed

    def cut_by_price(self, passed: Mask, price: NDArray[np.float64]) -> Mask:
        unknown = np.isnan(price)
        if self.priced:
            passed = self.cut(passed, "unknown price", ~unknown)
        if self.least_price is not None:
            passed = self.cut(passed, "price", unknown | (price >= self.least_price))
        return passed

    def cut(self, passed: Mask, name: str, kept: Mask) -> Mask:
        self.count(name, passed & ~kept)
        return passed & kept

    def count(self, name: str, out: Mask) -> None:
        if self.tally is not None and (many := int(np.count_nonzero(out))):
            self.tally[name] += many

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


def under_any(catalogue: Catalogue, paths: tuple[str, ...], at: NDArray[np.integer]) -> Mask:
    places = catalogue.columns.places[at]
    found: Mask = np.logical_or.reduce([catalogue.under(path)[places] for path in paths])
    return found
