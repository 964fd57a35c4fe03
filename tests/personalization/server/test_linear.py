"""The learner for people with a history, against what is known by hand or by a closed formula."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from personalization.server.learning import linear
from personalization.server.learning.interactions import Interactions, interactions
from personalization.server.learning.linear import Settings

# 0 is what everybody has; 1 goes with 2, 3 goes with 4; 5 is popular too.
HISTORIES = [[0, 1, 2], [0, 1, 2], [0, 1, 2, 5], [0, 3, 4], [0, 3, 4, 5], [0, 3, 4], [0, 5], [0, 5], [0, 5]]


def of(histories: list[list[int]], items: int) -> Interactions:
    users = np.repeat(np.arange(len(histories)), [len(one) for one in histories])
    return interactions(users, np.concatenate(histories), shape=(len(histories), items))


def chance(users: int, items: int, share: float = 0.5) -> Interactions:
    rows, columns = np.nonzero(np.random.default_rng(3).random((users, items)) < share)
    return interactions(rows, columns, shape=(users, items))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_it_recommends_what_goes_with_a_history_and_not_what_is_popular(share: float) -> None:
    known = of(HISTORIES, 6)
    weights = linear.fit(known, Settings(filter=share, penalty=0.5))
    asked = Interactions(by_user=of([[1], [3], [1, 2]], 6).by_user, by_item=known.by_item)
    first, second, third = linear.recommend(weights, asked, most=6).tolist()
    assert first[0] == 2
    assert second[0] == 4
    assert third[0] == 0, "only what everybody has is left of what goes with them"
    assert sorted(first) == [-1, 0, 2, 3, 4, 5], "each item once, the own ones never"


def test_whom_nothing_is_known_of_gets_what_is_popular() -> None:
    known = of(HISTORIES, 6)
    asked = Interactions(by_user=sparse.csr_array((1, 6), dtype=np.float32), by_item=known.by_item)
    [found] = linear.recommend(linear.fit(known, Settings()), asked, most=3).tolist()
    assert found == [0, 5, 1]


@pytest.mark.parametrize("damping", [0.0, 0.5])
@pytest.mark.parametrize("dense", [True, False])
def test_with_all_items_as_candidates_it_is_ease(
    damping: float,
    dense: bool,  # noqa: FBT001 - parametrised
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Steck 2019: B = I - P / diag(P), P = inverse of the Gram matrix with the penalty."""
    if not dense:
        monkeypatch.setattr(linear, "DENSE_ITEMS", 0)
    data = chance(200, 12)
    settings = Settings(candidates=11, penalty=2.0, damping=damping)
    matrix = data.by_user.toarray().astype(np.float64)
    each = data.lengths() ** -damping
    penalty = 2.0 * linear.usual_weight(data, each.astype(np.float32))
    inverse = np.linalg.inv(matrix.T @ (matrix * each[:, None]) + penalty * np.eye(12))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    found = linear.regression(data, settings).toarray()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_neighbours_are_those_of_the_matrix_product() -> None:
    data = chance(80, 30, 0.2)
    weights = (1 / np.maximum(data.lengths(), 1)).astype(np.float32)
    left = np.linspace(1, 2, 30, dtype=np.float32)
    right = np.linspace(2, 1, 30, dtype=np.float32)
    near, scores = linear.neighbours(data, weights, left=left, right=right, most=5)
    matrix = data.by_user.toarray()
    product = (matrix * weights[:, None]).T @ matrix * left[:, None] * right
    np.fill_diagonal(product, 0)
    best = -np.sort(-product, axis=1)[:, :5]
    np.testing.assert_allclose(scores, best, rtol=1e-4)
    rows = np.arange(30)[:, None]
    np.testing.assert_allclose(np.where(near >= 0, product[rows, near], 0), scores, rtol=1e-4)


def test_what_is_kept_are_the_strongest_weights() -> None:
    rows = [[0, 3, 1, 2], [0, 0, 0, -1], [0, 0, 0, 0], [0, 0, 0, 0]]
    kept = linear.kept(sparse.csr_array(np.array(rows, np.float32)), most=2)
    assert kept.near.tolist() == [[1, 3], [3, -1], [-1, -1], [-1, -1]]
    assert kept.scores.tolist() == [[3, 2], [-1, 0], [0, 0], [0, 0]]


@pytest.mark.parametrize("items", [1, 2])
def test_a_shop_of_one_or_two_items_is_no_fault(items: int) -> None:
    data = of([[number] for number in range(items)] * 2, items)
    weights = linear.fit(data, Settings())
    assert linear.recommend(weights, data, most=3).shape == (2 * items, 3)
