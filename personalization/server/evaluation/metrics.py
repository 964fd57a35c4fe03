"""Figures of ranked lists against what people really did, as the papers define them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Int = NDArray[np.integer]


def hits_of(lists: Int, truth: Any) -> NDArray[np.bool_]:
    """Which recommended items were held back. ``truth``: a csr_array of ones, rows as in ``lists``."""
    rows = np.repeat(np.arange(lists.shape[0]), lists.shape[1])
    columns = np.maximum(lists, 0).ravel()
    found = np.asarray(sparse.csr_array(truth)[rows, columns]).ravel() > 0
    return found.reshape(lists.shape) & (lists >= 0)


def of_lists(lists: Int, truth: Any) -> dict[str, float]:
    """Recall, NDCG and MRR at the length of the lists, on average over rows that have something held back.

    NDCG: binary gain, the ideal list has min(held back, k) hits. Recall: share of the held-back items.
    """
    most = lists.shape[1]
    held = np.diff(sparse.csr_array(truth).indptr)
    counted = held > 0
    if not counted.any():
        return {"recall": 0.0, "ndcg": 0.0, "mrr": 0.0, "hit_rate": 0.0}
    hits = hits_of(lists, truth)[counted]
    held = held[counted]
    discount = 1 / np.log2(np.arange(2, most + 2))
    ideal = np.append(0, np.cumsum(discount))[np.minimum(held, most)]
    first = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)
    return {
        "recall": float((hits.sum(axis=1) / held).mean()),
        "ndcg": float(((hits * discount).sum(axis=1) / ideal).mean()),
        "mrr": float(first.mean()),
        "hit_rate": float(hits.any(axis=1).mean()),
    }


def of_variety(lists: Int, popularity: Int) -> dict[str, float]:
    """What the lists are made of, beside being right.

    ``coverage``: share of all items that some list holds. ``novelty``: mean -log2 of the share of all
    interactions that an item has. ``popular_share``: places that the most popular tenth of the items takes.
    """
    shown = lists[lists >= 0]
    count = len(popularity)
    if not len(shown) or not popularity.sum():
        return {"coverage": 0.0, "novelty": 0.0, "popular_share": 0.0}
    share = np.maximum(popularity, 1) / max(int(popularity.sum()), 1)
    top = np.zeros(count, np.bool_)
    top[np.argsort(-popularity, kind="stable")[: max(1, count // 10)]] = True
    return {
        "coverage": float(len(np.unique(shown)) / count),
        "novelty": float(-np.log2(share[shown]).mean()),
        "popular_share": float(top[shown].mean()),
    }
