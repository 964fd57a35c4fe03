"""Item-to-item weights for people with a history: a sum over what they had, nothing to train for a person.

Two parts, both over the same neighbourhoods:

* **Local ridge**: for each item one small ridge regression on its best candidates, a neighbourhood-restricted
  form of EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data"; reference
  `recommender-anchors.md` 3a). It knows that two candidates say the same and counts them once.
* **Linear graph filter**: users and items weighted by their degrees (the linear part of GF-CF, Shen et al.
  2021, "How powerful is graph convolution for recommendation?"). It reaches far more items than a regression.

Their sum is better than either on every set that it was tried on (docs/evaluation.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personalization.server.learning import kernels
from personalization.server.learning.interactions import Interactions, in_threads

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
# Up to so many items all pairs are counted at once: 256 MB.
DENSE_ITEMS = 8_000
# Of an artefact, 128 MB.
WEIGHTS = 16_000_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``candidates``: of each regression. ``penalty``: its ridge, in users who have a usual item.

    ``damping``: a user weighs length ** -damping in the regression. ``reach``: neighbours of the filter.
    ``filter``: its weight beside the regression, 0 to leave it out.
    """

    candidates: int = 100
    penalty: float = 3.0
    damping: float = 0.0
    reach: int = 1000
    filter: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Weights:
    """For each item what follows from it: ``near``, shape (items, k), the best first, -1 for none."""

    near: Int32
    scores: Float32


Spread = Callable[[Callable[[int, int], NDArray[Any]], int], NDArray[Any]]


def fit(data: Interactions, settings: Settings, *, spread: Spread | None = None) -> Weights:
    """Learn the weights of both parts and keep the strongest of each item.

    ``spread``: what calls a function of (start, stop) for all rows and joins its arrays, on other machines
    for example; threads of this one where it is missing.
    """
    ridge = regression(data, settings, spread=spread)
    return joined(ridge, graph_filter(data, reach=settings.reach), settings)


def joined(ridge: Any, graph: Any, settings: Settings) -> Weights:
    """Both parts as one, of which the strongest weights of each item are kept."""
    total = scaled(ridge)
    if settings.filter > 0:
        total = total + scaled(graph) * np.float32(settings.filter)
    return kept(total, most=room(total.shape[0]))


def room(items: int) -> int:
    """How many weights of each item are kept: what fits into :data:`WEIGHTS`, but 100 to 1,000."""
    return max(100, min(1_000, WEIGHTS // max(items, 1)))


def kept(weights: Any, *, most: int) -> Weights:
    count = weights.shape[0]
    most = max(1, min(most, count))
    near = np.full((count, most), -1, np.int32)
    scores = np.zeros((count, most), np.float32)
    matrix = weights.tocsr()
    kernels.strongest(matrix.indptr, matrix.indices, matrix.data, most, near, scores)
    return Weights(near=near, scores=scores)


def recommend(weights: Weights, data: Interactions, *, most: int) -> Int32:
    """The ``most`` best items that each user of ``data`` does not have, the best first; -1 for none."""
    popular = np.argsort(-data.popularity(), kind="stable").astype(np.int32)
    found = np.full((data.users, most), -1, np.int32)
    begins, items, _by_item, _users = data.arrays()
    in_threads(
        lambda a, b: kernels.recommend(begins, items, weights.near, weights.scores, popular, a, b, found),
        data.users,
    )
    return found


def scaled(weights: Any) -> Any:
    """Weights whose strongest targets are 1 on average, so that parts can be compared."""
    strongest = weights.max(axis=1).toarray().ravel()
    mean = float(strongest[strongest > 0].mean()) if (strongest > 0).any() else 1.0
    return weights * np.float32(1 / mean)


def regression(data: Interactions, settings: Settings, *, spread: Spread | None = None) -> Any:
    """Local ridge: for each target the weights of its candidates."""
    weights = np.maximum(data.lengths(), 1) ** -np.float32(settings.damping)
    weights = weights.astype(np.float32)
    norms = (np.maximum(data.popularity(), 1) ** -0.5).astype(np.float32)
    near, _scores = neighbours(data, weights, left=norms, right=norms, most=settings.candidates)
    penalty = settings.penalty * usual_weight(data, weights)
    if spread is not None:
        work = Ridge(arrays=data.arrays(), weights=weights, near=near, penalty=penalty)
        return by_source(near, spread(work, data.items))
    solved = np.zeros(near.shape, np.float32)
    if data.items <= DENSE_ITEMS:
        gram = (data.by_item @ (data.by_user * weights[:, None])).toarray().astype(np.float32)
        in_threads(lambda a, b: kernels.ridge_dense(gram, near, penalty, a, b, solved), data.items)
    else:
        begins, items, by_item, users = data.arrays()
        in_threads(
            lambda a, b: kernels.ridge(begins, items, by_item, users, weights, near, penalty, a, b, solved),
            data.items,
        )
    return by_source(near, solved)


@dataclass(frozen=True, kw_only=True)
class Ridge:
    """The regressions of some rows, to be sent to where they are solved."""

    arrays: tuple[NDArray[Any], ...]
    weights: Float32
    near: Int32
    penalty: float

    def __call__(self, start: int, stop: int) -> NDArray[np.float32]:
        solved = np.zeros(self.near.shape, np.float32)
        begins, items, by_item, users = self.arrays
        weights, near, penalty = self.weights, self.near, self.penalty
        kernels.ridge(begins, items, by_item, users, weights, near, penalty, start, stop, solved)
        return solved[start:stop]


def usual_weight(data: Interactions, weights: Float32) -> float:
    """The weighted number of users of an item, on average over interactions and items."""
    sums = data.by_item @ weights
    return float(sums.mean()) or 1.0


def graph_filter(data: Interactions, *, reach: int) -> Any:
    weights = (1 / np.maximum(data.lengths(), 1)).astype(np.float32)
    norms = (np.maximum(data.popularity(), 1) ** -0.5).astype(np.float32)
    near, scores = neighbours(data, weights, left=norms, right=norms, most=reach)
    return by_source(near, scores)


def neighbours(
    data: Interactions, weights: Float32, *, left: Float32, right: Float32, most: int
) -> tuple[Int32, Float32]:
    """The best related items of each item and how strongly, shape (items, most); -1 where there are fewer."""
    most = max(1, min(most, data.items - 1))
    near = np.full((data.items, most), -1, np.int32)
    scores = np.zeros((data.items, most), np.float32)
    begins, items, by_item, users = data.arrays()
    in_threads(
        lambda a, b: kernels.related(begins, items, by_item, users, weights, left, right, a, b, near, scores),
        data.items,
    )
    return near, scores


def by_source(near: Int32, values: Float32) -> Any:
    """Rows of targets with their sources turned into a matrix from sources to targets."""
    count, width = near.shape
    known = near.ravel() >= 0
    targets = np.repeat(np.arange(count, dtype=np.int32), width)[known]
    entries = (values.ravel()[known], (near.ravel()[known], targets))
    return sparse.csr_array(entries, shape=(count, count))
