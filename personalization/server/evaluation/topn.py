"""Lists for people with a history: learn from what they had, look for what they had next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personalization.server.evaluation import metrics, search
from personalization.server.evaluation.tables import Table, numbered
from personalization.server.learning import linear
from personalization.server.learning.interactions import Interactions, interactions
from personalization.server.learning.linear import Settings

SEED = 20260101
HELD_BACK = 0.2  # of each person's items, to choose settings by
LEAST = 5  # items that a person needs for that
JUDGES = 4_000  # people by whom settings are compared
PEOPLE = 50_000  # by whom settings of a customer's own model are chosen
LENGTH = 20
# In the order of their effect. Damping is left out: people's future differs from a random part of their past
# (it is less popular), and damping gains on the one what it loses on the other.
STEPS: search.Steps = (
    ("filter", (0.0, 0.5, 2.0)),
    ("penalty", (1.0, 10.0)),
    ("candidates", (200,)),
    ("filter", (0.0, 0.25, 0.5, 1.0, 2.0)),
)


@dataclass(frozen=True, kw_only=True)
class Split:
    known: Interactions
    held: Any  # csr_array of ones, shape (users, items)


def tuned(data: Interactions, start: Settings) -> Settings:
    """Settings chosen on a part of ``data`` that the learner does not see."""
    split = hold_back(data)
    return start if split is None else found(split, start).settings


def found_later(known: Table, later: Table, *, start: Settings) -> search.Found[Settings]:
    """The same with people's later items as judges. Arrays ``user`` and ``item``.

    Of many people some are enough: the others are left out of the learning too, or a search would take a
    dozen times as long as the build that it is for.
    """
    people = np.unique(later["user"])
    if len(people) > PEOPLE:
        people = np.random.default_rng(SEED).choice(people, PEOPLE, replace=False)
        known, later = (
            {name: one[np.isin(part["user"], people)] for name, one in part.items()}
            for part in (known, later)
        )
    users, (known_users, later_users) = numbered(known["user"], later["user"])
    items, (known_items, later_items) = numbered(known["item"], later["item"])
    shape = (len(users), len(items))
    data = interactions(known_users, known_items, shape=shape)
    return found(Split(known=data, held=ones(later_users, later_items, shape)), start)


def only(table: Table, people: NDArray[Any]) -> Table:
    kept = np.isin(table["user"], people)
    return {name: column[kept] for name, column in table.items()}


def found(split: Split, start: Settings) -> search.Found[Settings]:
    """The settings with which what is held back is recommended best."""

    @lru_cache(maxsize=4)
    def ridge(candidates: int, penalty: float, damping: float) -> Any:
        return linear.regression(
            split.known, Settings(candidates=candidates, penalty=penalty, damping=damping)
        )

    graph = linear.graph_filter(split.known, reach=start.reach)

    def score(settings: Settings) -> float:
        part = ridge(settings.candidates, settings.penalty, settings.damping)
        weights = linear.joined(part, graph, settings)
        return judged(weights, split)["ndcg"]

    return search.better(start, STEPS, score)


def judged(weights: linear.Weights, split: Split) -> dict[str, float]:
    """The figures of some people of the split, the same for the same data."""
    people = np.flatnonzero(np.diff(split.held.indptr))
    if len(people) > JUDGES:
        people = np.random.default_rng(SEED).choice(people, JUDGES, replace=False)
    some = Interactions(by_user=split.known.by_user[people], by_item=split.known.by_item)
    return metrics.of_lists(linear.recommend(weights, some, most=LENGTH), split.held[people])


def hold_back(data: Interactions) -> Split | None:
    """A random fifth of the items of everybody with a few; None where nobody has."""
    chance = np.random.default_rng(SEED)
    lengths = data.lengths()
    rows = np.repeat(np.arange(data.users), lengths)
    order = np.lexsort((chance.random(len(rows)), rows))
    place = np.arange(len(rows)) - np.repeat(np.append(0, np.cumsum(lengths)[:-1]), lengths)
    much = np.where(lengths >= LEAST, np.ceil(lengths * HELD_BACK), 0)
    held = np.zeros(len(rows), np.bool_)
    held[order] = place < much[rows]
    if not held.any():
        return None
    columns = data.by_user.indices
    shape = (data.users, data.items)
    return Split(
        known=interactions(rows[~held], columns[~held], shape=shape),
        held=ones(rows[held], columns[held], shape),
    )


def ones(rows: NDArray[np.integer], columns: NDArray[np.integer], shape: tuple[int, int]) -> Any:
    matrix = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix
