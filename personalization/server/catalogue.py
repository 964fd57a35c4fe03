"""The item store in memory: what the scoring loop needs to filter by, for one customer per process.

Many threads read while one takes in what changed. What they share only grows (an item's number and a place's
number never change their meaning), and the columns are replaced as a whole. It may lag behind the store; the
chosen items are therefore read from the store again before they are answered.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from personalization.server.items.revisions import NOTHING_READ, Changes, Key, Row, seconds

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Seconds = NDArray[np.float64]

# Above this, sorting everything is faster than putting each changed item into its place.
FEW = 200
TABLE_BYTES = 20_000_000


class Price(NamedTuple):
    amount: float
    currency: str  # ISO 4217


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """One value per item number. Times are seconds since 1970; a removed item is valid at no time."""

    types: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    valid_from: Seconds = field(default_factory=lambda: np.zeros(0))
    valid_to: Seconds = field(default_factory=lambda: np.zeros(0))
    added: Seconds = field(default_factory=lambda: np.zeros(0))
    places: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    price: Seconds = field(default_factory=lambda: np.zeros(0))  # of one unit, NaN where it is not known
    currency: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))  # of `Catalogue.currencies`
    # The number of the product that an item is a variant of, -1 for none.
    base: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    is_base: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    is_variant: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    # All numbers, the latest received first, equal ones by publication, then as they came.
    newest: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    stored: int = 0  # items that are not removed

    @cached_property
    def by_place(self) -> tuple[Numbers, Numbers]:
        """All numbers by their places, and where each place begins among them."""
        order = np.argsort(self.places, kind="stable")
        last = int(self.places.max()) if len(self.places) else 0
        return order, np.searchsorted(self.places[order], np.arange(last + 2))

    def copies(self, size: int) -> dict[str, NDArray[Any]]:
        """The columns that rows fill, for ``size`` items; the new ones as if removed."""
        fill = {"types": 0, "valid_from": np.inf, "valid_to": -np.inf, "added": 0.0, "places": 0}
        fill |= {"price": np.nan, "currency": 0, "base": -1}
        missing = size - len(self.types)
        return {
            name: np.append(column := getattr(self, name), np.full(missing, value, column.dtype))
            for name, value in fill.items()
        }


@dataclass(kw_only=True, eq=False)
class Catalogue:
    """Items by number, which is their position in all columns. A place is a set of category paths."""

    customer_id: str
    revision: int = NOTHING_READ
    numbers: dict[Key, int] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    columns: Columns = field(default_factory=Columns)
    item_types: tuple[int, ...] = ()  # ascending
    has_variants: bool = False
    currencies: list[str] = field(default_factory=list)
    places: list[tuple[str, ...]] = field(default_factory=lambda: [()])
    _place_of: dict[str, int] = field(default_factory=lambda: {"[]": 0})
    # Every path and all its ancestors -> places below.
    _below: dict[str, list[int]] = field(default_factory=dict)
    _tables: dict[str, Mask] = field(default_factory=dict)

    @property
    def has_content(self) -> bool:
        """Whether the customer ever sent items, even if the last of them is gone by now."""
        return self.revision > 0

    def __len__(self) -> int:
        return self.columns.stored

    def is_wasteful(self) -> bool:
        """Whether most of the memory is about items that are gone: time to read everything afresh."""
        return len(self.keys) > 2 * len(self) + 1000

    def take(self, changes: Changes) -> None:
        """Take in what was written since; one thread at a time."""
        if changes:
            for row in changes.rows:
                if row.base_id:
                    self.number_for((row.item_type, row.base_id))
            at = np.fromiter(map(self.number_of, changes.rows), np.int64, len(changes.rows))
            gone = [number for key in changes.gone if (number := self.numbers.get(key)) is not None]
            self.columns = self.changed(changes.rows, at, gone)
        self.revision = changes.revision

    def changed(self, rows: Sequence[Row], at: Numbers, gone: list[int]) -> Columns:
        """The columns with ``rows`` at the numbers ``at``, of which the last counts, and without ``gone``."""
        old, new = self.columns, self.columns.copies(len(self.keys))
        if rows:
            types, _ids, starts, ends, added, paths, prices, currencies, bases = zip(*rows, strict=True)
            new["types"][at] = types
            new["valid_from"][at] = [seconds(one) if one else -np.inf for one in starts]
            new["valid_to"][at] = [seconds(one) if one else np.inf for one in ends]
            # An import has one moment for all of its items.
            moments = {one: seconds(one) for one in set(added)}
            new["added"][at] = [moments[one] for one in added]
            new["places"][at] = [self.place_of(one) for one in paths]
            new["price"][at] = [np.nan if one is None else float(one) for one in prices]
            new["currency"][at] = [self.currency_of(one) for one in currencies]
            new["base"][at] = [
                self.numbers[kind, base] if base else -1 for kind, base in zip(types, bases, strict=True)
            ]
        new["valid_to"][gone], new["places"][gone], new["base"][gone] = -np.inf, 0, -1
        is_base = np.zeros(len(self.keys), np.bool_)
        is_base[new["base"][new["base"] >= 0]] = True
        is_variant = new["base"] >= 0
        self.has_variants = bool(is_variant.any())
        newest = reordered(old.newest, at, new["added"], new["valid_from"])
        stored = int(np.sum(new["valid_to"] > -np.inf))
        return Columns(newest=newest, stored=stored, is_base=is_base, is_variant=is_variant, **new)

    def number_of(self, row: Row) -> int:
        number = self.number_for((row.item_type, row.item_id))
        if row.item_type not in self.item_types:
            self.item_types = tuple(sorted([*self.item_types, row.item_type]))
        return number

    def number_for(self, key: Key) -> int:
        number = self.numbers.get(key)
        if number is None:
            number = len(self.keys)
            self.keys.append(key)
            self.numbers[key] = number
        return number

    def currency_of(self, name: str) -> int:
        if name not in self.currencies:
            self.currencies.append(name)
        return self.currencies.index(name)

    def place_of(self, paths: str) -> int:
        """The number of a set of category paths, given as JSON."""
        place = self._place_of.get(paths)
        if place is None:
            place, found = len(self.places), tuple(json.loads(paths))
            for path in ancestors(found):
                self._below.setdefault(path, []).append(place)
            # Last, for a table of `under` that has this length is taken for complete.
            self.places.append(found)
            self._place_of[paths] = place
        return place

    def paths_of(self, key: Key) -> tuple[str, ...]:
        """The category paths of an item, none where it is not stored."""
        number, places = self.numbers.get(key), self.columns.places
        return self.places[places[number]] if number is not None and number < len(places) else ()

    def few_below(self, paths: Sequence[str]) -> Numbers | None:
        """The items of these categories where they are few, None where a walk through all finds some soon."""
        columns = self.columns
        places = sorted({place for path in paths for place in self._below.get(path, ())})
        order, begins = columns.by_place
        known = [place for place in places if place + 1 < len(begins)]
        count = sum(int(begins[place + 1] - begins[place]) for place in known)
        if count > max(FEW, len(columns.types) // FEW):
            return None
        parts = [order[begins[place] : begins[place + 1]] for place in known]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def price_of(self, key: Key) -> Price | None:
        """The price of one unit, None where it is not known."""
        number, columns = self.numbers.get(key), self.columns
        if number is None or number >= len(columns.price) or np.isnan(columns.price[number]):
            return None
        return Price(float(columns.price[number]), self.currencies[columns.currency[number]])

    def categories_of(self, key: Key) -> tuple[str, ...]:
        """The categories that an item lies in. A path that leads to this item alone is the item's own
        place in the tree, as pages export it, and its category is the one above."""
        return tuple(dict.fromkeys(map(self._category, self.paths_of(key))))

    def _category(self, path: str) -> str:
        places = self._below.get(path, ())
        above = path.rpartition("/")[0]
        if len(places) != 1 or not above:
            return path
        return above if np.count_nonzero(self.columns.places == places[0]) == 1 else path

    def find(self, item_id: str) -> Key | None:
        """The stored item of that id; ids may repeat over the item types, of which the lowest is meant."""
        columns = self.columns
        for item_type in self.item_types:
            number = self.numbers.get((item_type, item_id))
            if number is not None and number < len(columns.types) and columns.valid_to[number] > -np.inf:
                return item_type, item_id
        return None

    def under(self, path: str) -> Mask:
        """By place: whether it is the category ``path`` or below it."""
        count = len(self.places)
        table = self._tables.get(path)
        if table is None or len(table) < count:
            table = np.zeros(count, np.bool_)
            table[[place for place in self._below.get(path, ()) if place < count]] = True
            if len(self._tables) * count > TABLE_BYTES:  # paths come from requests; memory must not
                self._tables.clear()
            self._tables[path] = table
        return table


def reordered(order: Numbers, changed: Numbers, added: Seconds, valid_from: Seconds) -> Numbers:
    """``order`` of :attr:`Columns.newest` with the changed and new numbers put into their places."""
    changed = np.unique(changed)
    if len(changed) > FEW or not len(order):
        return np.lexsort((-valid_from, -added))
    moved = np.zeros(len(added), np.bool_)
    moved[changed] = True
    kept = order[~moved[order]]

    def rank(number: int) -> tuple[float, float, int]:
        return -added[number], -valid_from[number], number

    sorted_in = sorted(changed.tolist(), key=rank)
    places = [bisect_left(kept, rank(number), key=rank) for number in sorted_in]
    return np.insert(kept, places, sorted_in)


def ancestors(paths: Iterable[str]) -> set[str]:
    """Every path and all paths above it: "1/2/95" -> {"1", "1/2", "1/2/95"}."""
    found: set[str] = set()
    for path in paths:
        parts = path.split("/")
        found.update("/".join(parts[: length + 1]) for length in range(len(parts)))
    return found
