"""What comes next in a visit, for people of whom nothing else is known: the nearest visits of others.

A bounded nearest-neighbour search over recent sessions (VS-KNN, Ludewig and Jannach 2018; STAN, Garg et al.
2019; VMIS-kNN, Kersbergen et al. 2022): items of the visit weigh less the longer ago they were, sessions less
the older and longer they are, and items of a neighbour less the farther they stand from what matched. Two
additions: what the visitor looked at may come again (``repeat``), and what usually follows the newest item
is mixed in (``follow``). Nothing is trained: the index is a sorted list of sessions for each item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]
# An item this far behind another still counts as following it, with 1 / distance.
FOLLOWS_WITHIN = 10
MOVES = 100  # kept of each item


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``recent``: sessions looked at for each item, the newest. ``nearest``: those that count.

    ``position``, ``distance``: what an item keeps of its weight for each step from the newest item, and from
    the item that matched; ``before``: what it keeps where it stands before the match. ``half_life``: of a
    session, as a share of all sessions, 0 for no ageing. ``repeat``: weight of items that the visitor has
    seen, 0 leaves them out. ``follow``: weight of what follows the newest item. ``rarity``: power of the
    weight of items that few sessions have.
    """

    recent: int = 2_500
    nearest: int = 500
    position: float = 0.7
    distance: float = 0.5
    before: float = 0.8
    half_life: float = 0.5
    repeat: float = 0.7
    follow: float = 0.05
    rarity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Sessions one after the other, the oldest first: session s has ``items[begins[s]:begins[s + 1]]``."""

    begins: NDArray[np.int64]
    items: Int32

    def __len__(self) -> int:
        return len(self.begins) - 1


@dataclass(frozen=True, kw_only=True)
class Moves:
    """What follows each item: item i is followed by ``to[at[i]:at[i + 1]]``, how often by ``how``."""

    at: Int32
    to: Int32
    how: Float32


@dataclass(frozen=True, kw_only=True)
class Index:
    """Sessions and, for each item, who holds it and where: holders in order of time."""

    sessions: Sessions
    by_item: NDArray[np.int64]
    holders: Int32
    positions: Int32
    moves: Moves
    often: NDArray[np.int64]  # sessions of each item

    @property
    def count(self) -> int:
        return len(self.by_item) - 1


def sessions_of(session: NDArray[np.integer], items: NDArray[np.integer]) -> Sessions:
    """From rows that stand in order of session and position; session numbers rise with time."""
    _numbers, begins = np.unique(session, return_index=True)
    return Sessions(begins=np.append(begins, len(items)).astype(np.int64), items=items.astype(np.int32))


def index(sessions: Sessions, *, count: int) -> Index:
    """Build the index; ``count`` is the number of items."""
    lengths = np.diff(sessions.begins)
    holder = np.repeat(np.arange(len(sessions), dtype=np.int32), lengths)
    position = (np.arange(len(sessions.items)) - np.repeat(sessions.begins[:-1], lengths)).astype(np.int32)
    # Of an item that comes twice in a session its last place counts.
    order = np.lexsort((-position, holder, sessions.items))
    item, by = sessions.items[order], holder[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (item[1:] != item[:-1]) | (by[1:] != by[:-1])
    order = order[first]
    often = np.bincount(sessions.items[order], minlength=count)
    return Index(
        sessions=sessions,
        by_item=np.append(0, np.cumsum(often)).astype(np.int64),
        holders=holder[order],
        positions=position[order],
        moves=moves(sessions, holder, count=count),
        often=often.astype(np.int64),
    )


def moves(sessions: Sessions, holder: Int32, *, count: int) -> Moves:
    """How often an item follows another, weighted by 1 / distance; the strongest of each row is 1."""
    from scipy import sparse  # here: whoever only answers from an index does not need it

    total = sparse.csr_array((count, count), dtype=np.float32)
    for distance in range(1, FOLLOWS_WITHIN + 1):
        together = holder[:-distance] == holder[distance:]
        here, there = sessions.items[:-distance][together], sessions.items[distance:][together]
        weights = np.full(len(here), 1 / distance, np.float32)
        total = total + sparse.csr_array((weights, (here, there)), shape=(count, count))
    found = strongest(total.tocsr(), most=MOVES)
    return Moves(at=found.indptr, to=found.indices, how=found.data)


def strongest(matrix: sparse.csr_array, *, most: int) -> sparse.csr_array:
    """The ``most`` highest entries of each row, divided by the highest."""
    from scipy import sparse

    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((-matrix.data, rows))
    place = np.arange(len(order)) - np.repeat(matrix.indptr[:-1], np.diff(matrix.indptr))
    kept = order[place < most]
    top = np.repeat(matrix.max(axis=1).toarray().ravel(), np.diff(matrix.indptr))
    data = (matrix.data / top)[kept]
    return sparse.csr_array((data, (rows[kept], matrix.indices[kept])), shape=matrix.shape)


def recommend(found: Index, queries: Sessions, settings: Settings, *, most: int) -> tuple[Int32, Float32]:
    """The best next items of each query, the best first, with scores; shape (queries, most), -1 for none.

    An item number of -1 in a query is an item that no session has.
    """
    # Compiles its loop, which serving one visit does not need.
    from personalization.server.learning import session_kernels
    from personalization.server.learning.interactions import in_threads

    items = np.full((len(queries), most), -1, np.int32)
    scores = np.zeros((len(queries), most), np.float32)
    step = 0.5 ** (1 / (settings.half_life * len(found.sessions))) if settings.half_life > 0 else 1.0
    rare = np.log1p(len(found.sessions) / np.maximum(found.often, 1)) ** settings.rarity
    matrix = found.moves
    in_threads(
        lambda start, stop: session_kernels.answer(
            found.sessions.begins,
            found.sessions.items,
            found.by_item,
            found.holders,
            found.positions,
            matrix.at,
            matrix.to,
            matrix.how,
            queries.begins,
            queries.items,
            start,
            stop,
            settings.recent,
            settings.nearest,
            settings.position,
            settings.distance,
            settings.before,
            step,
            settings.repeat,
            settings.follow,
            rare.astype(np.float32),
            items,
            scores,
        ),
        len(queries),
    )
    return items, scores
