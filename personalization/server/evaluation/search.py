"""Choosing settings by trying them, one after the other, on events held back from the learner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, NamedTuple, TypeVar

S = TypeVar("S")
Steps = Sequence[tuple[str, Sequence[Any]]]


class Found(NamedTuple, Generic[S]):
    """The best settings, their score, and the score of those that the search began with."""

    settings: S
    score: float
    start: float


def better(start: S, steps: Steps, score: Callable[[S], float]) -> Found[S]:
    """The best settings found by changing one field after the other, and their score.

    ``steps``: fields with the values to try, in order; a field may come again. The start is tried first, and
    a change must raise the score to be taken.
    """
    best, highest = start, score(start)
    first = highest
    tried = {start}
    for name, values in steps:
        current = best
        for value in values:
            candidate = replace(current, **{name: value})  # type: ignore[type-var]
            if candidate in tried:
                continue
            tried.add(candidate)
            if (reached := score(candidate)) > highest:
                best, highest = candidate, reached
    return Found(best, highest, first)
