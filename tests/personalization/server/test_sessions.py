"""What comes next in a visit: hand-made visits whose right answer is known and is not the popular item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from personalization.server.learning import session_kernels, sessions, visits
from personalization.server.learning.sessions import Sessions, Settings

# 9 is in most visits; 1 leads to 2, 3 leads to 4; 5 was once behind 1 and is 2's successor of late.
VISITS = [[9, 8], [9, 7], [1, 2, 9], [1, 2], [9, 1, 2], [3, 4, 9], [3, 4], [9, 6], [9, 8, 7]]
PLAIN = Settings(half_life=0, follow=0, rarity=0, repeat=0, position=0.7, distance=0.7)


def of(visits: list[list[int]]) -> Sessions:
    begins = np.append(0, np.cumsum([len(one) for one in visits])).astype(np.int64)
    return Sessions(begins=begins, items=np.concatenate(visits).astype(np.int32))


def ask(visits: list[list[int]], question: list[int], settings: Settings = PLAIN) -> list[int]:
    found, _scores = sessions.recommend(
        sessions.index(of(visits), count=10), of([question]), settings, most=5
    )
    return [item for item in found[0].tolist() if item >= 0]


def test_it_finds_what_follows_and_not_what_is_popular() -> None:
    assert ask(VISITS, [1])[0] == 2
    assert ask(VISITS, [3])[0] == 4
    assert ask(VISITS, [8, 3])[0] == 4, "the newest item counts most"


def test_what_was_seen_comes_again_only_if_it_may() -> None:
    assert 1 not in ask(VISITS, [1])
    assert ask(VISITS, [1], replace(PLAIN, repeat=2.0))[0] == 1


def test_newer_visits_count_more() -> None:
    changed = [[1, 2]] * 4 + [[6, 7]] * 40 + [[1, 5]] * 3
    assert ask(changed, [1])[0] == 2
    assert ask(changed, [1], replace(PLAIN, half_life=0.2))[0] == 5


def test_only_the_newest_visits_of_an_item_are_looked_at() -> None:
    changed = [[1, 2]] * 4 + [[1, 5]] * 3
    assert ask(changed, [1])[0] == 2
    assert ask(changed, [1], replace(PLAIN, recent=3)) == [5]


def test_what_stands_before_the_match_counts_less() -> None:
    visits = [[4, 1, 2]]
    assert ask(visits, [1], replace(PLAIN, before=0.5)) == [2, 4]
    assert ask([[2, 1, 4]], [1], replace(PLAIN, before=0.5)) == [4, 2]


def test_what_usually_follows_fills_a_list_without_neighbours() -> None:
    visits = [[1, 2], [2, 3]]
    assert ask(visits, [1]) == [2]
    assert ask(visits, [1], replace(PLAIN, follow=0.5)) == [2]
    moves = sessions.index(of([[1, 2, 3], [1, 2]]), count=4).moves
    first, last = moves.at[1], moves.at[2]
    after = dict(zip(moves.to[first:last].tolist(), moves.how[first:last].tolist(), strict=True))
    assert after == {2: 1, 3: 0.25}, "twice at distance one, once at two"


@pytest.mark.parametrize("question", [[-1], [0], [-1, 1]])
def test_items_that_no_visit_has_are_no_fault(question: list[int]) -> None:
    found = ask(VISITS, question)
    assert (found[:1] == [2]) == (1 in question)


def test_an_item_that_comes_twice_in_a_visit_counts_once() -> None:
    index = sessions.index(of([[1, 2, 1]]), count=3)
    assert index.often.tolist() == [0, 1, 1]
    assert index.positions[index.by_item[1]] == 2, "where it was last"


def test_long_visits_stay_within_their_arrays() -> None:
    """Weights of what lies far back are nothing in the end; the loop as plain Python checks every index."""
    chance = np.random.default_rng(2)
    visits = [chance.permutation(60).tolist() for _ in range(12)]
    question = of([chance.permutation(60).tolist()])
    index = sessions.index(of(visits), count=60)
    settings = replace(PLAIN, position=0.01, distance=0.01, repeat=0.5, follow=1e-25)
    compiled, scores = sessions.recommend(index, question, settings, most=60)
    plain, plain_scores = np.full((1, 60), -1, np.int32), np.zeros((1, 60), np.float32)
    rare = np.ones(60, np.float32)
    session_kernels.answer.py_func(  # type: ignore[attr-defined]
        index.sessions.begins,
        index.sessions.items,
        index.by_item,
        index.holders,
        index.positions,
        index.moves.at,
        index.moves.to,
        index.moves.how,
        question.begins,
        question.items,
        0,
        1,
        settings.recent,
        settings.nearest,
        settings.position,
        settings.distance,
        settings.before,
        1.0,
        settings.repeat,
        settings.follow,
        rare,
        plain,
        plain_scores,
    )
    np.testing.assert_allclose(plain_scores, scores, rtol=1e-3)
    found = compiled[0][compiled[0] >= 0].tolist()
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    "settings", [sessions.Settings(), replace(sessions.Settings(), recent=20, nearest=7, follow=0.3)]
)
def test_one_visit_is_answered_like_many(settings: sessions.Settings) -> None:
    """The arithmetic that serves a visit, and the compiled loop that answers thousands."""
    chance = np.random.default_rng(5)
    index = sessions.index(of([chance.integers(0, 40, 6).tolist() for _ in range(200)]), count=40)
    for _ in range(20):
        question = chance.integers(-1, 40, 5).astype(np.int32)
        listed, expected = sessions.recommend(index, of([question.tolist()]), settings, most=10)
        items, scores = visits.next_items(index, question, settings)
        order = np.lexsort((items, -scores))[:10]
        known = listed[0] >= 0
        assert scores[order] == pytest.approx(expected[0][known], rel=1e-4)
        assert (index.often[items] > 0).all()
