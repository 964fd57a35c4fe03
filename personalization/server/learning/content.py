"""Items that are like each other by what is known of them, not by who looked (engine-protocol.md 5.1).

Each attribute makes a vector of length 1: a nominal value or a category by itself, a number as its place
among all numbers of the attribute, a text as its words by TF-IDF (Salton and Buckley 1988, "Term-weighting
approaches in automatic text retrieval"). The likeness of two items is the weighted mean of the cosines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from personalization.server.learning.base import (
    DAY_SECONDS,
    Float32,
    Int32,
    Kind,
    Learned,
    Parameters,
    Serves,
    register,
)
from personalization.server.learning.events import Facts, History

TOP = 50
WORD = re.compile(r"[^\W_]{2,}")
TAG = re.compile(r"<[^>]*>")
# Neighbouring steps of a scale from the lowest to the highest tenth; numbers one step apart are half alike.
STEPS = 10
# Of the dense part of a product of matrices, 64 MB.
CELLS = 16_000_000
# What more items have than this says little, and costs their square.
COMMON = 20_000
CATEGORY = "category"
# Described by everybody, read by nobody: links and dates are no likeness.
NAMES = {"title", "name", "tags", "keywords", "abstract", "intro", "description"}
LONGEST = 20_000


@dataclass
class Block:
    """The features of one attribute: rows, columns and values of a sparse matrix that grows."""

    weight: float
    idf: bool = True
    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, row: int, feature: str, value: float = 1.0) -> None:
        self.rows.append(row)
        self.columns.append(self.numbers.setdefault(feature, len(self.numbers)))
        self.values.append(value)

    def matrix(self, count: int) -> Any:
        """Rows of length sqrt(weight), shape (count, features)."""
        from scipy import sparse  # here: web processes know the kind and never learn

        shape = (count, max(1, len(self.numbers)))
        found = sparse.csr_array((self.values, (self.rows, self.columns)), shape=shape, dtype=np.float32)
        found.sum_duplicates()
        have = np.bincount(found.indices, minlength=shape[1])
        if self.idf:
            found.data = (1 + np.log(np.maximum(found.data, 1))).astype(np.float32)
            rarity = np.log((1 + count) / (1 + have)) + 0.1
            rarity[have > COMMON] = 0
            found.data *= rarity[found.indices].astype(np.float32)
        norms = np.sqrt(np.asarray((found * found).sum(axis=1)).ravel())
        each = np.repeat(norms, np.diff(found.indptr))
        found.data *= np.float32(np.sqrt(self.weight)) / np.maximum(each, np.float32(1e-9))
        return found


class Alike(Kind):
    """Shared by the kinds of this page, which differ in what they read of an item."""

    serves: ClassVar[Serves] = Serves.NEIGHBOURS
    reads_items: ClassVar[bool] = True
    needs_events: ClassVar[bool] = False

    def codes(self, signal: str, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def blocks(self, items: Sequence[Facts], parameters: Parameters) -> Iterable[Block]:
        raise NotImplementedError

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """Neighbours of all items by their likeness; ``support`` is the likeness in percent."""
        from scipy import sparse

        age = parameters["item_age_days"] * DAY_SECONDS
        newest = max((one.added for one in history.items), default=0.0)
        items = [one for one in history.items if not age or one.added >= newest - age]
        parts = [block.matrix(len(items)) for block in self.blocks(items, parameters)]
        keys = [one.key for one in items]
        if not items or not parts:
            return Learned(keys=keys)
        near, scores = most_alike(sparse.hstack(parts, format="csr"))
        percent = np.where(near >= 0, np.maximum(1, np.rint(scores * 100)), 0).astype(np.int32)
        return Learned(keys=keys, neighbours=near, scores=scores, support=percent)


@register
class ContentBased(Alike):
    """By attributes. ``attributes``: which ones, "author" or "author:2" with a weight; empty for the
    categories, all nominal ones and the words of title, tags and the like."""

    name: ClassVar[str] = "content_based"
    defaults: ClassVar[Parameters] = {"attributes": [], "item_age_days": 0.0}

    def blocks(self, items: Sequence[Facts], parameters: Parameters) -> Iterable[Block]:
        weights = dict(weighted(one) for one in parameters["attributes"])
        found: dict[tuple[str, str], Block] = {}
        scales = {} if not weights else scales_of(items, weights)
        for row, item in enumerate(items):
            for key, kind, feature, value in features(item, weights, scales):
                weight = weights.get(key, 1.0)
                block = found.setdefault((key, kind), Block(weight=weight, idf=kind != "NUMERIC"))
                block.add(row, feature, value)
        return found.values()


@register
class FullText(Alike):
    """By long texts. ``texts``: which texts or attributes, empty for all texts."""

    name: ClassVar[str] = "full_text"
    defaults: ClassVar[Parameters] = {"texts": [], "item_age_days": 0.0}

    def blocks(self, items: Sequence[Facts], parameters: Parameters) -> Iterable[Block]:
        block, wanted = Block(weight=1.0), set(parameters["texts"])
        for row, item in enumerate(items):
            named = [(key, value) for key, _kind, value in item.attributes if key in wanted]
            for _key, text in named or ([one for one in item.texts if not wanted or one[0] in wanted]):
                for word in words(text):
                    block.add(row, word)
        return [block] if block.rows else []


def weighted(name: str) -> tuple[str, float]:
    """ "author:2" is the attribute author with the weight 2."""
    key, _, weight = name.partition(":")
    try:
        return key, max(0.0, float(weight)) if weight else 1.0
    except ValueError:
        return name, 1.0


def features(
    item: Facts, weights: dict[str, float], scales: dict[str, NDArray[np.float64]]
) -> Iterator[tuple[str, str, str, float]]:
    """Attribute, type, feature and value of everything that an item is compared by."""
    if not weights or CATEGORY in weights:
        for path in item.categories:
            parts = path.split("/")
            for depth in range(len(parts)):
                yield CATEGORY, "NOMINAL", "/".join(parts[: depth + 1]), 1.0
    for key, kind, value in item.attributes:
        if key not in weights and (weights or not (kind == "NOMINAL" or key in NAMES)):
            continue
        if kind == "TEXT":
            for word in words(value):
                yield key, kind, word, 1.0
        elif kind == "NUMERIC" and key in scales:
            for step, share in steps(value, scales[key]):
                yield key, kind, str(step), share
        else:
            yield key, "NOMINAL", value, 1.0


def scales_of(items: Sequence[Facts], weights: dict[str, float]) -> dict[str, NDArray[np.float64]]:
    """By attribute the bounds between the tenths of its numbers."""
    numbers: dict[str, list[float]] = {}
    for item in items:
        for key, kind, value in item.attributes:
            if kind == "NUMERIC" and key in weights and (number := number_of(value)) is not None:
                numbers.setdefault(key, []).append(number)
    return {key: np.quantile(values, np.linspace(0, 1, STEPS + 1)) for key, values in numbers.items()}


def steps(value: str, scale: NDArray[np.float64]) -> Iterator[tuple[int, float]]:
    """The steps of a scale that a number is between, with its share of each."""
    number = number_of(value)
    if number is not None:
        place = float(np.interp(number, scale, np.arange(STEPS + 1)))
        low = int(place)
        yield low, 1 - (place - low)
        if place > low:
            yield low + 1, place - low


def number_of(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def words(text: str) -> Iterator[str]:
    """The words of a text without mark-up, in small letters."""
    yield from WORD.findall(TAG.sub(" ", text[:LONGEST]).casefold())


def most_alike(matrix: Any) -> tuple[Int32, Float32]:
    """The items whose rows point the most in the same direction, shape (n, at most TOP); -1 for none."""
    from scipy import sparse

    count = matrix.shape[0]
    most = max(1, min(TOP, count - 1))
    near = np.full((count, most), -1, np.int32)
    scores = np.zeros((count, most), np.float32)
    lengths = np.maximum(np.sqrt(np.asarray((matrix * matrix).sum(axis=1)).ravel()), 1e-9)
    matrix = sparse.diags_array((1 / lengths).astype(np.float32)) @ matrix
    other = matrix.T.tocsr()
    chunk = max(1, CELLS // count)
    for start in range(0, count, chunk):
        likeness = (matrix[start : start + chunk] @ other).toarray()
        rows = np.arange(len(likeness))
        likeness[rows, rows + start] = 0
        best = np.argsort(-likeness, axis=1, kind="stable")[:, :most]
        values = np.take_along_axis(likeness, best, axis=1)
        near[start : start + chunk] = np.where(values > 0, best, -1)
        scores[start : start + chunk] = values
    return near, scores
