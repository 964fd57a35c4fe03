"""An evaluation of files from end to end: read, choose settings, learn, recommend, compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.server.evaluation import baselines, cost, metrics, tables, topn, visits
from personalization.server.evaluation.tables import Table
from personalization.server.learning import linear, sessions
from personalization.server.learning.interactions import Interactions, interactions

LONGEST = 1_000  # places of a list


@dataclass(frozen=True, kw_only=True)
class Report:
    """What an evaluation found. ``figures`` is empty where there was nothing to compare with.

    ``baselines``: by name the same figures of lists that know nothing of anybody, for people with a history.
    """

    task: str
    data: dict[str, int]
    settings: dict[str, Any]
    figures: dict[str, float]
    baselines: dict[str, dict[str, float]]
    tuning_cpu_seconds: float
    training_cpu_seconds: float
    lists_per_second: float
    peak_megabytes: float

    def document(self) -> dict[str, Any]:
        return asdict(self)


def lists_for_people(train: Path, test: Path, *, most: int, output: Path | None, tune: bool) -> Report:
    """Recommend to everybody of ``test`` what ``train`` lets expect. Raises :class:`tables.WrongTable`."""
    known, later = (tables.read(path, ("user", "item")) for path in (train, test))
    tables.alike(known, later, ("user", "item"), names=(train, test))
    return of_people(known, later, most=most, output=output, tune=tune)


def of_people(
    known: Table,
    later: Table,
    *,
    most: int,
    output: Path | None,
    tune: bool,
    say: Callable[[str], None] = lambda _step: None,
) -> Report:
    """The same of arrays ``user`` and ``item``. ``say`` is told of each step."""
    users, (known_users, later_users) = tables.numbered(known["user"], later["user"])
    items, (known_items, later_items) = tables.numbered(known["item"], later["item"])
    shape = (len(users), len(items))
    data = interactions(known_users, known_items, shape=shape)
    say("Choosing settings")
    with cost.counted() as tuning:
        settings = topn.tuned(data, linear.Settings()) if tune else linear.Settings()
    say("Learning")
    with cost.counted() as training:
        weights = linear.fit(data, settings)
    say("Comparing")
    people = np.unique(later_users)
    asked = Interactions(by_user=data.by_user[people], by_item=data.by_item)
    with cost.counted() as answering:
        lists = linear.recommend(weights, asked, most=most)
    if output:
        write_lists(output, "user", users[people], items, lists)
    truth = topn.ones(later_users, later_items, shape)[people]
    return Report(
        task="topn",
        data={"users": shape[0], "items": shape[1], "train": len(known_users), "test": len(later_users)},
        settings=asdict(settings),
        figures=rounded(metrics.of_lists(lists, truth) | metrics.of_variety(lists, data.popularity())),
        baselines={name: rounded(one) for name, one in baselines.figures(asked, truth, most=most).items()},
        tuning_cpu_seconds=round(tuning.cpu_seconds, 1),
        training_cpu_seconds=round(training.cpu_seconds, 1),
        lists_per_second=round(len(people) / max(answering.seconds, 1e-9)),
        peak_megabytes=round(cost.peak_megabytes()),
    )


def lists_for_visits(
    train: Path, prefixes: Path, *, nexts: Path | None, most: int, output: Path | None, tune: bool
) -> Report:
    """Guess what follows each of ``prefixes``; ``nexts`` says what did.

    Raises :class:`tables.WrongTable`.
    """
    columns, order = ("session", "position", "item"), ("session", "position")
    known, asked = (tables.read(path, columns, order=order) for path in (train, prefixes))
    tables.alike(known, asked, ("item",), names=(train, prefixes))
    items, (known_items,) = tables.numbered(known["item"])
    visited = sessions.sessions_of(known["session"], known_items)
    place = np.minimum(np.searchsorted(items, asked["item"]), len(items) - 1)
    numbers = np.where(items[place] == asked["item"], place, -1).astype(np.int32)
    questions = sessions.sessions_of(asked["session"], numbers)
    with cost.counted() as tuning:
        start = sessions.Settings()
        settings = visits.tuned(visited, start, count=len(items)) if tune else start
    with cost.counted() as training:
        found = sessions.index(visited, count=len(items))
    first = sessions.Sessions(begins=questions.begins[:2], items=numbers)
    sessions.recommend(found, first, settings, most=most)  # compiles the loop, which is not counted
    with cost.counted() as answering:
        lists, _scores = sessions.recommend(found, questions, settings, most=most)
    if output:
        write_lists(output, "session", np.unique(asked["session"]), items, lists, positions=True)
    figures: dict[str, float] = {}
    if nexts is not None:
        answers = answers_of(nexts, np.unique(asked["session"]), items)
        figures = visits.judged(lists, answers) | metrics.of_variety(lists, found.often)
    return Report(
        task="sessions",
        data={
            "sessions": len(visited),
            "items": len(items),
            "train": len(known_items),
            "test": len(questions),
        },
        settings=asdict(settings),
        figures=rounded(figures),
        baselines={},
        tuning_cpu_seconds=round(tuning.cpu_seconds, 1),
        training_cpu_seconds=round(training.cpu_seconds, 1),
        lists_per_second=round(len(questions) / max(answering.seconds, 1e-9)),
        peak_megabytes=round(cost.peak_megabytes()),
    )


def answers_of(nexts: Path, asked: NDArray[Any], items: NDArray[Any]) -> NDArray[np.int32]:
    """The item that followed each session, -2 for one that the learner has never seen."""
    table = tables.read(nexts, ("session", "next_item"), order=("session",))
    if not np.array_equal(table["session"], asked):
        raise tables.WrongTable(f"{nexts} must have one row for each session of the prefixes, and no other.")
    place = np.minimum(np.searchsorted(items, table["next_item"]), len(items) - 1)
    return np.where(items[place] == table["next_item"], place, -2).astype(np.int32)


def write_lists(
    output: Path,
    name: str,
    asked: NDArray[Any],
    items: NDArray[Any],
    lists: NDArray[np.int32],
    *,
    positions: bool = False,
) -> None:
    """One row for each place of each list, in order; ids as they were read."""
    rows, places = np.nonzero(lists >= 0)
    columns = {name: asked[rows]}
    if positions:
        columns["position"] = places.astype(np.int32)
    tables.write(output, columns | {"item": items[lists[rows, places]]})


def rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in figures.items()}
