"""What lists must beat to be worth anything: what is popular, and chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from personalization.server.evaluation import metrics
from personalization.server.learning import linear
from personalization.server.learning.interactions import Interactions

Int32 = NDArray[np.int32]
SEED = 20260101
# People whose lists are drawn at once, and how many items are drawn for each place of a list: some are known
# to the person, some are drawn twice.
PIECE, DRAWN = 10_000, 4


def figures(asked: Interactions, truth: object, *, most: int) -> dict[str, dict[str, float]]:
    """The figures of both, by name, for the same people. ``truth``: a csr_array of ones, a row for each."""
    lists = {"popular": popular(asked, most=most), "random": at_random(asked, most=most)}
    popularity = asked.popularity()
    return {
        name: metrics.of_lists(one, truth) | metrics.of_variety(one, popularity)
        for name, one in lists.items()
    }


def popular(asked: Interactions, *, most: int) -> Int32:
    """For everybody the most popular items that they do not have; -1 where there are no more."""
    nothing = linear.Weights(
        near=np.full((asked.items, 1), -1, np.int32), scores=np.zeros((asked.items, 1), np.float32)
    )
    return linear.recommend(nothing, asked, most=most)


def at_random(asked: Interactions, *, most: int) -> Int32:
    """For everybody random items that they do not have, each as likely; -1 where there are too few."""
    return np.concatenate(list(pieces(asked, most)) or [np.zeros((0, most), np.int32)])


def pieces(asked: Interactions, most: int) -> Iterator[Int32]:
    chance = np.random.default_rng(SEED)
    for start in range(0, asked.users, PIECE):
        known = asked.by_user[start : start + PIECE]
        if asked.items <= DRAWN * most:
            every = np.tile(np.arange(asked.items, dtype=np.int32), (known.shape[0], 1))
            drawn = chance.permuted(every, axis=1)
        else:
            drawn = chance.integers(asked.items, size=(known.shape[0], DRAWN * most), dtype=np.int32)
        unfit = metrics.hits_of(drawn, known) | repeated(drawn)
        order = np.argsort(unfit, axis=1, kind="stable")[:, :most]
        chosen = np.where(
            np.take_along_axis(unfit, order, axis=1), -1, np.take_along_axis(drawn, order, axis=1)
        )
        yield np.pad(chosen, ((0, 0), (0, most - chosen.shape[1])), constant_values=-1).astype(np.int32)


def repeated(drawn: Int32) -> NDArray[np.bool_]:
    """What stands further left in its row already."""
    order = np.argsort(drawn, axis=1, kind="stable")
    ordered = np.take_along_axis(drawn, order, axis=1)
    again = np.zeros(drawn.shape, np.bool_)
    np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return again
