"""The simulated visitors of the demo: their past holds what only co-occurrence can learn."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from content.demo.catalogue import entries
from content.demo.tastes import TASTES
from personalization.demo.visitors import DemoItem, Plan, Visit, simulate
from personalization.server.learning import events, registry
from personalization.server.learning.base import Learned

UNTIL = datetime(2026, 6, 1, 12, tzinfo=UTC)
TYPES = {"place": 38, "article": 39, "product": 40}
SHOWN = 10


@pytest.fixture(scope="module")
def items() -> list[DemoItem]:
    return [
        DemoItem(
            kind=entry.kind,
            item_type=TYPES[entry.kind],
            item_id=str(number),
            folder=entry.folder,
            affinities=tuple(taste.affinity(entry) for taste in TASTES),
            price=entry.price or None,
        )
        for number, entry in enumerate(entries(), start=1)
    ]


@pytest.fixture(scope="module")
def visits(items: list[DemoItem]) -> list[Visit]:
    return list(simulate(items, until=UNTIL, plan=Plan(visitors=1000)))


def learn(kind: str, clicks: list[Visit], folder: Path) -> Learned:
    """What the shipped learner makes of these clicks."""
    path = folder / "clicks.parquet"
    columns = {
        "event": np.array(["click"] * len(clicks)),
        "user": np.array([visit.visitor for visit in clicks]),
        "item_type": np.array([visit.item_type for visit in clicks]),
        "item_id": np.array([visit.item_id for visit in clicks]),
        "ts": np.array([int(visit.at.timestamp() * 1e6) for visit in clicks]),
        "quantity": np.ones(len(clicks), dtype=np.int64),
    }
    with duckdb.connect() as connection:
        connection.register("clicks", columns)
        connection.execute(f"COPY (SELECT * FROM clicks) TO '{path}' (FORMAT parquet)")
    known = registry.kind(kind)
    parameters = registry.with_defaults(known, {})
    with events.opened([path], codes=["click"], window_days=parameters["window_days"], owned=[]) as history:
        return known.learn(history, parameters=parameters)


def sessions_of(clicks: list[Visit]) -> list[list[tuple[int, str]]]:
    by_visitor: dict[str, list[Visit]] = defaultdict(list)
    for visit in clicks:
        by_visitor[visit.visitor].append(visit)
    ordered = (sorted(seen, key=lambda visit: visit.at) for seen in by_visitor.values())
    return [[(visit.item_type, visit.item_id) for visit in session] for session in ordered]


def test_it_is_the_same_history_for_the_same_seed(items: list[DemoItem], visits: list[Visit]) -> None:
    assert visits == list(simulate(items, until=UNTIL, plan=Plan(visitors=1000)))


def test_it_makes_visits_of_thirty_days_with_every_kind_of_event(visits: list[Visit]) -> None:
    counts = Counter(visit.event for visit in visits)
    assert set(counts) == {"click", "clickrecommended", "consume", "rate", "basket", "buy"}
    assert {one.scenario for one in visits if one.scenario} == {"front", "detail", "also_bought"}
    assert counts["click"] / 10 < counts["clickrecommended"] < counts["click"] / 5
    assert counts["click"] > counts["consume"] > counts["basket"] > counts["buy"] > 100
    assert UNTIL - timedelta(days=31) < min(visit.at for visit in visits)
    assert max(visit.at for visit in visits) < UNTIL


def test_also_clicked_beats_popularity_on_a_held_out_day(visits: list[Visit], tmp_path: Path) -> None:
    clicks = [visit for visit in visits if visit.event == "click"]
    past = [visit for visit in clicks if visit.at < UNTIL - timedelta(days=1)]
    day = sessions_of([visit for visit in clicks if visit.at >= UNTIL - timedelta(days=1)])
    pairs, popular = learn("co_occurrence", past, tmp_path), learn("popularity", past, tmp_path)
    asked = found_by_pairs = found_by_popularity = 0
    for session in day:
        for place in range(1, len(session)):
            seen, following = session[:place], session[place]
            asked += 1
            found_by_pairs += following in best(pair_scores(pairs, seen), pairs, seen)
            found_by_popularity += following in best(popular.ranking.copy(), popular, seen)
    assert asked > 200
    assert found_by_pairs > 1.5 * found_by_popularity


def pair_scores(pairs: Learned, seen: list[tuple[int, str]]) -> np.ndarray:
    scores = np.zeros(len(pairs.keys))
    for key in seen:
        row = pairs.keys.index(key)
        valid = pairs.neighbours[row] >= 0
        scores[pairs.neighbours[row][valid]] += pairs.scores[row][valid]
    return scores


def best(scores: np.ndarray, learned: Learned, seen: list[tuple[int, str]]) -> list[tuple[int, str]]:
    order = [learned.keys[place] for place in np.argsort(-scores, kind="stable")]
    return [key for key in order if key not in seen][:SHOWN]
