"""The kinds of models: a hand-made history whose right list is known and differs from popularity's."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from personalization.server import artefacts
from personalization.server.learning import events, registry

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


@pytest.mark.parametrize("kind", [name for name, known in registry.kinds().items() if known.trained])
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
