"""Who had which item, as sparse arrays: what the learners for people with a history work on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

THREADS = 2
# Rows of one piece of work: small enough that threads end together.
PIECE = 500


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """A matrix of ones, shape (users, items), in both orders."""

    by_user: Any  # scipy.sparse.csr_array
    by_item: Any  # its transpose, as csr_array

    @property
    def users(self) -> int:
        return int(self.by_user.shape[0])

    @property
    def items(self) -> int:
        return int(self.by_user.shape[1])

    def popularity(self) -> NDArray[np.int64]:
        """Users of each item, shape (items,)."""
        return np.asarray(np.diff(self.by_item.indptr), np.int64)

    def lengths(self) -> NDArray[np.int64]:
        """Items of each user, shape (users,)."""
        return np.asarray(np.diff(self.by_user.indptr), np.int64)

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """What the kernels take: rows and columns by user, then by item."""
        return self.by_user.indptr, self.by_user.indices, self.by_item.indptr, self.by_item.indices


def interactions(
    users: NDArray[np.integer], items: NDArray[np.integer], *, shape: tuple[int, int]
) -> Interactions:
    """From pairs of row and column numbers; a pair counts once, however often it is there."""
    ones = np.ones(len(users), np.float32)
    matrix = sparse.csr_array((ones, (users, items)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return Interactions(by_user=matrix, by_item=matrix.T.tocsr())


def in_threads(work: Callable[[int, int], None], rows: int) -> None:
    """Call ``work(start, stop)`` for all rows, piece by piece, in :data:`THREADS` threads."""
    pieces = [(start, min(start + PIECE, rows)) for start in range(0, rows, PIECE)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda piece: work(*piece), pieces))
