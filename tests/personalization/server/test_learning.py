"""The kinds of models: a hand-made history whose right list is known and differs from popularity's."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from personalization.server import artefacts
from personalization.server.learning import events, registry
from personalization.server.learning.base import Learned
from personalization.server.learning.bestsellers import bestsellers, give_way

MINUTE = 60 * events.SECOND
START = 1_700_000_000 * events.SECOND

# 9 is the bestseller; 1 goes with 2, 3 goes with 4.
BASKETS = [
    ("a", [9, 1, 2]),
    ("b", [9, 1, 2]),
    ("c", [1, 2]),
    ("d", [9, 3, 4]),
    ("e", [3, 4]),
    ("f", [9]),
    ("g", [9]),
]


def lake(tmp_path: Path, rows: list[tuple[str, str, int, str, int, int]]) -> list[Path]:
    """Parquet with the columns event, user, item_type, item_id, ts, quantity."""
    target = tmp_path / "events.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            'CREATE TABLE e(event TEXT, "user" TEXT, item_type INT, item_id TEXT, ts BIGINT, quantity INT)'
        )
        connection.executemany("INSERT INTO e VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.execute(f"COPY e TO '{target}' (FORMAT parquet)")
    return [target]


def shop(tmp_path: Path, code: str = "buy") -> list[Path]:
    return lake(
        tmp_path,
        [
            (code, user, 40, str(item), START + n, 1)
            for user, items in BASKETS
            for n, item in enumerate(items)
        ],
    )


def learnt(kind: str, files: list[Path], code: str = "buy", owned: list[events.Owned] | None = None):
    known = registry.kind(kind)
    parameters = registry.with_defaults(known, {})
    with events.opened(
        files, codes=[code], window_days=parameters["window_days"], owned=owned or []
    ) as history:
        return known.learn(history, parameters=parameters)


def best(learned: registry.Learned, item: str) -> str:
    row = learned.keys.index((40, item))
    return learned.keys[learned.neighbours[row][0]][1]


PAIRED = ["popularity", "predictive_popularity", "co_occurrence", "co_purchase", "for_you"]


@pytest.mark.parametrize("kind", PAIRED)
def test_it_gives_arrays_that_fit_together(tmp_path: Path, kind: str) -> None:
    learned = learnt(kind, shop(tmp_path))
    n = len(learned.keys)
    assert n == 5
    assert learned.events == 15
    if registry.kind(kind).needs_context:
        assert learned.neighbours.shape == learned.scores.shape == learned.support.shape
        assert learned.neighbours.shape[0] == n
        assert (learned.neighbours < n).all()
        assert (np.diff(learned.scores, axis=1) <= 0).all()
        assert not (learned.neighbours == np.arange(n)[:, None]).any()
    else:
        assert learned.ranking.shape == (n,)


def test_it_ranks_the_bestseller_first(tmp_path: Path) -> None:
    learned = learnt("popularity", shop(tmp_path))
    assert learned.keys[int(learned.ranking.argmax())] == (40, "9")


@pytest.mark.parametrize("kind", ["co_occurrence", "co_purchase"])
def test_it_prefers_what_goes_together_to_the_bestseller(tmp_path: Path, kind: str) -> None:
    learned = learnt(kind, shop(tmp_path))
    assert [best(learned, item) for item in "1234"] == ["2", "1", "4", "3"]


def test_it_forgets_with_the_half_life(tmp_path: Path) -> None:
    old = START - 20 * 86_400 * events.SECOND
    rows = [("click", "a", 40, "1", old, 1)] * 3 + [("click", "a", 40, "2", START, 1)]
    learned = learnt("popularity", lake(tmp_path, rows), "click")
    assert learned.keys[int(learned.ranking.argmax())] == (40, "2")


def test_it_counts_a_devices_events_for_its_owner(tmp_path: Path) -> None:
    rows = [("click", "device", 40, "1", START, 1), ("click", "person", 40, "2", START + 1, 1)]
    files = lake(tmp_path, rows)
    assert not learnt("co_occurrence", files, "click").neighbours.size
    together = learnt("co_occurrence", files, "click", [("device", 0, START + 5, "person")])
    assert best(together, "1") == "2"


def consumed(tmp_path: Path, rows: list[tuple[str, int, int | None]]) -> list[Path]:
    """Consumptions: user, item, percentage."""
    target = tmp_path / "events.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            'CREATE TABLE e(event TEXT, "user" TEXT, item_type INT, item_id TEXT, ts BIGINT, quantity INT,'
            " percentage SMALLINT)"
        )
        connection.executemany(
            "INSERT INTO e VALUES ('consume', ?, 39, ?, ?, NULL, ?)",
            [(user, str(item), START + n, share) for n, (user, item, share) in enumerate(rows)],
        )
        connection.execute(f"COPY e TO '{target}' (FORMAT parquet)")
    return [target]


def test_it_weighs_a_consumption_by_its_highest_percentage(tmp_path: Path) -> None:
    rows: list[tuple[str, int, int | None]] = [
        *[("a", 1, share) for share in (25, 50, 75, 50)],
        *[("b", 2, None), ("c", 2, 30), ("c", 2, 10)],
        *[("d", 3, 0), ("", 4, 50), ("", 4, 50), ("a", 5, None), ("a", 5, 10)],
    ]
    learned = learnt("popularity", consumed(tmp_path, rows), code="consume")

    scores = {item: float(score) for (_type, item), score in zip(learned.keys, learned.ranking, strict=True)}
    assert scores == pytest.approx({"1": 0.75, "2": 1.3, "4": 1.0, "5": 1.0}, rel=1e-3)
    assert learned.events == 6


def test_it_counts_the_highest_percentage_of_a_person_on_two_devices(tmp_path: Path) -> None:
    files = consumed(tmp_path, [("phone", 1, 40), ("a", 1, 60)])
    owned = [("phone", 0, START + 10, "a")]
    learned = learnt("popularity", files, code="consume", owned=owned)
    assert learned.ranking.tolist() == pytest.approx([0.6], rel=1e-3)


def test_it_links_no_events_of_nobody(tmp_path: Path) -> None:
    rows = [("click", "", 40, str(n), START + n, 1) for n in range(4)]
    assert not learnt("co_occurrence", lake(tmp_path, rows), "click").neighbours.size


def test_it_learns_nothing_from_nothing() -> None:
    assert learnt("popularity", []).keys == []


def test_it_serves_the_previous_artefact_when_the_new_one_is_damaged(tmp_path: Path, settings) -> None:
    settings.ARTEFACT_ROOT = tmp_path / "models"
    learned = learnt("co_purchase", shop(tmp_path))
    first = artefacts.write("10101", "also_bought", learned, about={})
    shelf = artefacts.Shelf()
    assert shelf.current("10101", "also_bought").version == first
    second = artefacts.write("10101", "also_bought", learned, about={})
    (artefacts.folder("10101", "also_bought") / second / "scores.npy").write_bytes(b"damaged")
    shelf.forget()
    assert shelf.current("10101", "also_bought").version == first


def test_it_switches_to_the_new_artefact_and_removes_old_ones(tmp_path: Path, settings) -> None:
    settings.ARTEFACT_ROOT = tmp_path / "models"
    learned = learnt("co_purchase", shop(tmp_path))
    shelf = artefacts.Shelf()
    versions = [artefacts.write("10101", "also_bought", learned, about={}) for _ in range(4)]
    assert shelf.current("10101", "also_bought").version == versions[-1]
    home = artefacts.folder("10101", "also_bought")
    assert sorted(entry.name for entry in home.iterdir() if entry.is_dir()) == versions[-2:]


@pytest.mark.parametrize("name", ["..", "a/b", "", ".tmp"])
def test_it_refuses_names_that_leave_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="folder"):
        artefacts.folder(name, "also_bought")


def lists(neighbours: list[list[int]], scores: list[list[float]]) -> Learned:
    near = np.array(neighbours, np.int32)
    return Learned(
        keys=[(40, str(row)) for row in range(30)],
        neighbours=near,
        scores=np.array(scores, np.float32),
        support=np.where(near >= 0, near + 100, 0).astype(np.int32),
    )


# Items 0 to 4 are the bestsellers.
SELLS = np.arange(30) < 5


def test_it_moves_the_third_bestseller_behind_ten_places() -> None:
    before = lists([[0, 1, 2, 3, *range(5, 15)]], [[float(20 - place) for place in range(14)]])
    after = give_way(before, bestseller=SELLS, of_ten=2)
    assert after.neighbours.tolist() == [[0, 1, 5, 6, 7, 8, 9, 10, 11, 12, 2, 3, 13, 14]]
    assert (np.diff(after.scores) <= 0).all()
    assert (after.support - after.neighbours == 100).all()


def test_it_leaves_bestsellers_out_where_too_few_others_go_before() -> None:
    before = lists([[0, 1, 2, 5, -1]], [[5.0, 4.0, 3.0, 2.0, 0.0]])
    after = give_way(before, bestseller=SELLS, of_ten=2)
    assert after.neighbours.tolist() == [[0, 1, 5, -1, -1]]
    assert after.support.tolist() == [[100, 101, 105, 0, 0]]
    none = give_way(before, bestseller=SELLS, of_ten=0)
    assert none.neighbours.tolist() == [[5, -1, -1, -1, -1]]


def test_it_changes_no_list_that_keeps_to_the_limit() -> None:
    before = lists([[5, 0, 6, 1, 7, -1]], [[5.0, 4.0, 3.0, 3.0, 1.0, 0.0]])
    for of_ten in (2, 10):
        after = give_way(before, bestseller=SELLS, of_ten=of_ten)
        assert after.neighbours.tolist() == before.neighbours.tolist()
        assert after.scores.tolist() == before.scores.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_it_never_shows_more_bestsellers_than_their_places(seed: int) -> None:
    chance = np.random.default_rng(seed)
    near = np.array([chance.permutation(30)[:25] for _ in range(40)])
    scores = -np.sort(-chance.integers(1, 6, (40, 25)).astype(float), axis=1)
    after = give_way(lists(near.tolist(), scores.tolist()), bestseller=SELLS, of_ten=1)
    sells = SELLS[after.neighbours] & (after.neighbours >= 0)
    for tens in (1, 2):
        assert (sells[:, : 10 * tens].sum(axis=1) <= tens).all()


def test_it_counts_bestsellers_by_purchases_and_by_units(tmp_path: Path) -> None:
    often = [("buy", f"u{n}", 40, "1", START + n, 1) for n in range(9)]
    much = [("buy", "w", 40, "2", START, 500)]
    rest = [("buy", "x", 40, str(n), START, 2) for n in range(3, 11)]
    files = lake(tmp_path, often + much + rest)
    with events.opened(files, codes=["buy"], window_days=30) as history:
        flags = bestsellers(history, share=0.1)
    assert [key[1] for key, best in zip(history.keys, flags, strict=True) if best] == ["1", "2"]
