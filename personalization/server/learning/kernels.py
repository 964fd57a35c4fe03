"""Loops over sparse matrices that numpy has no word for, compiled by numba.

They release the interpreter and work on a range of rows, so that threads share the work. A sparse matrix is
three arrays as in scipy's CSR: where each row begins, and the columns and values of its entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile on the first call and keep the result beside the source."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


@compiled
def best(
    values: Any,
    count: Any,
    most: Any,
) -> Any:
    """Places of the ``most`` highest of the first ``count`` values, the highest first."""
    negative = -values[:count]
    chosen = np.argpartition(negative, most)[:most] if count > 2 * most else np.arange(count)
    order = np.argsort(negative[chosen], kind="mergesort")
    return chosen[order][:most]


@compiled
def related(
    by_user: Any,
    items: Any,
    by_item: Any,
    users: Any,
    weights: Any,
    left: Any,
    right: Any,
    start: Any,
    stop: Any,
    near: Any,
    scores: Any,
) -> None:
    """Fill rows ``start`` to ``stop`` of ``near`` and ``scores``, shape (n, k), with the best related items.

    Items i and j are related by left[i] * right[j] * the sum of the weights of the users who have both.
    """
    count = len(by_item) - 1
    most = near.shape[1]
    sums = np.zeros(count, np.float32)
    touched = np.empty(count, np.int32)
    for i in range(start, stop):
        met = 0
        for p in range(by_item[i], by_item[i + 1]):
            user = users[p]
            weight = weights[user]
            for q in range(by_user[user], by_user[user + 1]):
                j = items[q]
                if j == i:
                    continue
                if sums[j] == 0:
                    touched[met] = j
                    met += 1
                sums[j] += weight
        values = np.empty(met, np.float32)
        for place in range(met):
            j = touched[place]
            values[place] = sums[j] * left[i] * right[j]
            sums[j] = 0
        order = best(values, met, most)
        for place in range(len(order)):
            near[i, place] = touched[order[place]]
            scores[i, place] = values[order[place]]


@compiled
def ridge(
    by_user: Any,
    items: Any,
    by_item: Any,
    users: Any,
    weights: Any,
    near: Any,
    penalty: Any,
    start: Any,
    stop: Any,
    solved: Any,
) -> None:
    """Fill rows ``start`` to ``stop`` of ``solved`` with the ridge regression of an item on its candidates.

    Row i solves (G + penalty) x = g over the candidates near[i], where G holds the weighted counts of users
    who have two of them, and g those who have one of them and i.
    """
    count, most = near.shape
    place = np.full(count, -1, np.int32)
    for i in range(start, stop):
        size = 0
        while size < most and near[i, size] >= 0:
            place[near[i, size]] = size
            size += 1
        if size == 0:
            continue
        matrix = np.zeros((size, size))
        target = np.zeros(size)
        for a in range(size):
            c = near[i, a]
            for p in range(by_item[c], by_item[c + 1]):
                user = users[p]
                weight = weights[user]
                for q in range(by_user[user], by_user[user + 1]):
                    j = items[q]
                    if j == i:
                        target[a] += weight
                    elif place[j] >= 0:
                        matrix[a, place[j]] += weight
            matrix[a, a] += penalty
        found = np.linalg.solve(matrix, target)
        for a in range(size):
            solved[i, a] = found[a]
            place[near[i, a]] = -1


@compiled
def ridge_dense(
    gram: Any,
    near: Any,
    penalty: Any,
    start: Any,
    stop: Any,
    solved: Any,
) -> None:
    """The same with the counts of all pairs at hand, shape (n, n)."""
    most = near.shape[1]
    for i in range(start, stop):
        size = 0
        while size < most and near[i, size] >= 0:
            size += 1
        if size == 0:
            continue
        matrix = np.empty((size, size))
        target = np.empty(size)
        for a in range(size):
            target[a] = gram[i, near[i, a]]
            for b in range(size):
                matrix[a, b] = gram[near[i, a], near[i, b]]
            matrix[a, a] += penalty
        found = np.linalg.solve(matrix, target)
        for a in range(size):
            solved[i, a] = found[a]


@compiled
def strongest(
    begins: Any,
    columns: Any,
    values: Any,
    most: Any,
    near: Any,
    scores: Any,
) -> None:
    """Fill ``near`` and ``scores``, shape (n, most), with the highest entries of each sparse row."""
    for row in range(len(begins) - 1):
        first, last = begins[row], begins[row + 1]
        order = best(values[first:last], last - first, most)
        for place in range(len(order)):
            near[row, place] = columns[first + order[place]]
            scores[row, place] = values[first + order[place]]


@compiled
def recommend(
    begins: Any,
    items: Any,
    near: Any,
    scores: Any,
    popular: Any,
    start: Any,
    stop: Any,
    found: Any,
) -> None:
    """Fill rows ``start`` to ``stop`` of ``found``, shape (histories, k), with the best of each history.

    The scores of the neighbours of all items of a history are added; its own items are left out. Places that
    stay free get the most popular items, ``popular``.
    """
    count, most = len(near), found.shape[1]
    sums = np.zeros(count, np.float32)
    state = np.zeros(count, np.int8)  # 1: has a sum, 2: in the history or found
    touched = np.empty(count, np.int32)
    for history in range(start, stop):
        first, last = begins[history], begins[history + 1]
        for p in range(first, last):
            state[items[p]] = 2
        met = 0
        for p in range(first, last):
            source = items[p]
            for place in range(near.shape[1]):
                target = near[source, place]
                if target < 0:
                    break
                if state[target] == 2:
                    continue
                if state[target] == 0:
                    state[target] = 1
                    touched[met] = target
                    met += 1
                sums[target] += scores[source, place]
        values = np.empty(met, np.float32)
        for place in range(met):
            values[place] = sums[touched[place]]
        order = best(values, met, most)
        size = len(order)
        for place in range(met):
            sums[touched[place]] = 0
            state[touched[place]] = 0
        for place in range(size):
            found[history, place] = touched[order[place]]
            state[touched[order[place]]] = 2
        for place in range(len(popular)):
            if size == most:
                break
            if state[popular[place]] == 0:
                found[history, size] = popular[place]
                state[popular[place]] = 2
                size += 1
        for p in range(first, last):
            state[items[p]] = 0
        for place in range(size):
            state[found[history, place]] = 0
