"""What comes next in a visit: learn from earlier visits, guess the next item of later ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.server.evaluation import search
from personalization.server.evaluation.tables import WrongTable
from personalization.server.learning import sessions
from personalization.server.learning.events import History
from personalization.server.learning.sessions import Sessions, Settings
from personalization.server.learning.visits import visited

SEED = 20260101
HELD_BACK = 0.05  # the newest sessions, to choose settings by
JUDGES = 6_000  # questions by which settings are compared
LENGTH = 20
STEPS: search.Steps = (
    ("repeat", (0.0, 0.5, 1.0, 2.0)),
    ("position", (0.3, 0.5, 0.6, 0.8, 0.9)),
    ("distance", (0.3, 0.4, 0.65, 0.8)),
    ("nearest", (100, 250, 1000)),
    ("half_life", (0.0, 0.1, 0.25, 1.0)),
    ("before", (0.5, 0.65, 1.0)),
    ("rarity", (0.0, 0.5, 1.5)),
    ("recent", (1000, 5000)),
    ("follow", (0.0, 0.1, 0.25)),
    ("repeat", (0.4, 0.6, 0.8, 1.0)),
    ("half_life", (0.15, 0.35, 0.5, 0.7)),
)


def tuned(known: Sessions, start: Settings, *, count: int) -> Settings:
    """Settings chosen by the newest sessions of ``known``, which the learner then does not see."""
    try:
        return chosen(known, start, count=count, steps=STEPS).settings
    except WrongTable:
        return start


def found_later(
    history: History, parameters: Mapping[str, Any], *, start: Settings
) -> search.Found[Settings]:
    """The same of a customer's own visits. How many visits are looked at stays: each call pays for it."""
    known = visited(history, parameters)
    steps = [(name, values) for name, values in STEPS if name not in ("recent", "nearest")]
    return chosen(known, start, count=len(history.keys), steps=steps)


def chosen(known: Sessions, start: Settings, *, count: int, steps: search.Steps) -> search.Found[Settings]:
    """Raises :class:`WrongTable` where there is nothing to learn from, or nothing to compare with."""
    cut = int(len(known) * (1 - HELD_BACK))
    if cut < 1 or cut == len(known):
        raise WrongTable(f"{len(known):,} visits are too few to learn from most and to judge by the others.")
    earlier = Sessions(begins=known.begins[: cut + 1], items=known.items[: known.begins[cut]])
    later = Sessions(begins=known.begins[cut:] - known.begins[cut], items=known.items[known.begins[cut] :])
    questions, answers = asked(later)
    if not len(answers):
        raise WrongTable("Nothing follows in the newest visits.")
    found = sessions.index(earlier, count=count)

    def score(settings: Settings) -> float:
        lists, _scores = sessions.recommend(found, questions, settings, most=LENGTH)
        figures = judged(lists, answers)
        return figures["hit_rate"] + figures["mrr"]

    return search.better(start, steps, score)


def asked(visits: Sessions) -> tuple[Sessions, NDArray[np.int32]]:
    """Beginnings of visits as questions, some of them if they are many, and the item that followed each."""
    session = np.repeat(np.arange(len(visits)), np.diff(visits.begins))
    place = np.arange(len(visits.items)) - visits.begins[session]
    nexts = np.flatnonzero(place > 0)
    if len(nexts) > JUDGES:
        nexts = np.sort(np.random.default_rng(SEED).choice(nexts, JUDGES, replace=False))
    parts = [visits.items[visits.begins[session[one]] : one] for one in nexts]
    begins = np.append(0, np.cumsum([len(part) for part in parts])).astype(np.int64)
    items = np.concatenate(parts) if parts else np.zeros(0, np.int32)
    return Sessions(begins=begins, items=items.astype(np.int32)), visits.items[nexts]


def judged(lists: NDArray[np.int32], answers: NDArray[np.int32]) -> dict[str, float]:
    """How often the next item is in the list, and the mean of 1 / its place."""
    hits = lists == answers[:, None]
    places = 1 / np.arange(1, lists.shape[1] + 1)
    return {"hit_rate": float(hits.any(axis=1).mean()), "mrr": float((hits * places).sum(axis=1).mean())}
