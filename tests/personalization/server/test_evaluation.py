"""Figures that anybody can recompute, and files that are not what they should be."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from personalization.server.evaluation import baselines, metrics, search, tables, topn
from personalization.server.evaluation.models import Evaluation
from personalization.server.learning.interactions import interactions
from tests.personalization.server.conftest import Account
from tracking import replay
from tracking.replay import HistoricEvent


def evaluate(*options: object) -> dict[str, Any]:
    out = StringIO()
    call_command("evaluate", *map(str, options), "--json", stdout=out)
    return json.loads(out.getvalue())


def rows(path: Path) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, Path]:
    """Ten groups of people with tastes of their own; the ids are words."""
    chance = np.random.default_rng(5)
    known, later = [], []
    for user in range(200):
        taste = user % 10
        items = [f"i{taste * 8 + one}" for one in chance.permutation(8)]
        known += [(f"u{user}", item) for item in items[:6]] + [(f"u{user}", f"i{80 + user % 7}")]
        later += [(f"u{user}", item) for item in items[6:]]
    for name, pairs in (("train", known), ("test", later)):
        users, items = (np.array(column) for column in zip(*pairs, strict=True))
        tables.write(tmp_path / f"{name}.parquet", {"user": users, "item": items})
    return tmp_path / "train.parquet", tmp_path / "test.parquet"


@pytest.mark.parametrize("tuning", [(), ("--no-tuning",)])
def test_the_printed_figures_are_those_of_the_written_lists(
    tuning: tuple[str, ...], history: tuple[Path, Path], tmp_path: Path
) -> None:
    train, test = history
    output = tmp_path / "lists.parquet"
    report = evaluate("topn", "--train", train, "--test", test, "--k", 5, "--output", output, *tuning)
    lists: dict[str, list[str]] = {}
    for user, item in rows(output):
        lists.setdefault(user, []).append(item)
    known, truth = rows(train), {}
    for user, item in rows(test):
        truth.setdefault(user, set()).add(item)
    assert {len(one) for one in lists.values()} == {5}
    assert not {(user, item) for user, found in lists.items() for item in found} & set(known)
    recall = np.mean([len(truth[user] & set(lists[user])) / len(truth[user]) for user in truth])
    ndcg = np.mean(
        [
            sum(1 / math.log2(place + 2) for place, item in enumerate(lists[user]) if item in truth[user])
            / sum(1 / math.log2(place + 2) for place in range(min(5, len(truth[user]))))
            for user in truth
        ]
    )
    assert report["figures"]["recall"] == pytest.approx(recall, abs=1e-4)
    assert report["figures"]["ndcg"] == pytest.approx(ndcg, abs=1e-4)
    assert recall > 0.9, "of 87 items the two that are left of a taste come first"
    popular, random = (report["baselines"][name]["recall"] for name in ("popular", "random"))
    assert random == pytest.approx(5 / 80, abs=0.03)
    assert popular < 0.3
    assert report["training_cpu_seconds"] >= 0
    assert report["lists_per_second"] > 0
    assert report["peak_megabytes"] > 50


def test_the_next_item_of_a_visit_is_found(tmp_path: Path) -> None:
    visits = [(n, place, f"p{(n % 9) * 3 + place}") for n in range(300) for place in range(3)]
    prefixes = [(1000 + n, place, f"p{(n % 9) * 3 + place}") for n in range(20) for place in range(2)]
    nexts = [(1000 + n, f"p{(n % 9) * 3 + 2}") for n in range(20)]
    for name, columns, entries in (
        ("train", ("session", "position", "item"), visits),
        ("prefix", ("session", "position", "item"), prefixes[::-1]),
        ("next", ("session", "next_item"), nexts),
    ):
        values = (np.array(column) for column in zip(*entries, strict=True))
        tables.write(tmp_path / f"{name}.parquet", dict(zip(columns, values, strict=True)))
    files = ("--train", tmp_path / "train.parquet", "--test-prefix", tmp_path / "prefix.parquet")
    output = tmp_path / "lists.parquet"
    report = evaluate("sessions", *files, "--test-next", tmp_path / "next.parquet", "--output", output)
    assert report["figures"]["hit_rate"] == 1
    assert report["figures"]["mrr"] > 0.9
    first = {session: item for session, position, item in rows(output) if position == 0}
    assert first == dict(nexts)
    assert evaluate("sessions", *files)["figures"] == {}


def test_figures_of_lists_by_hand() -> None:
    lists = np.array([[1, 2, 3], [4, 0, -1], [0, 1, 2]])
    truth = topn.ones(np.array([0, 0, 1]), np.array([2, 4, 0]), (3, 5))
    found = metrics.of_lists(lists, truth)
    second = 1 / math.log2(3)
    assert found["recall"] == pytest.approx((0.5 + 1) / 2)
    assert found["ndcg"] == pytest.approx((second / (1 + second) + second) / 2)
    assert found["mrr"] == pytest.approx(0.5)
    assert found["hit_rate"] == 1
    assert metrics.of_lists(lists[2:], truth[[2]])["recall"] == 0, "nobody had anything held back"
    variety = metrics.of_variety(np.array([[0, 1], [0, -1]]), np.array([6, 1, 1, 0]))
    assert variety["coverage"] == 0.5
    assert variety["popular_share"] == pytest.approx(2 / 3)
    assert variety["novelty"] == pytest.approx((2 * -math.log2(6 / 8) + -math.log2(1 / 8)) / 3)


@dataclass(frozen=True)
class Two:
    a: int = 0
    b: int = 0


def test_settings_are_chosen_one_after_the_other() -> None:
    asked: list[Two] = []

    def score(settings: Two) -> float:
        asked.append(settings)
        return -3 * (settings.a - 2) ** 2 - (settings.b - settings.a) ** 2

    steps = [("a", (1, 2, 3)), ("b", (1, 2)), ("a", (2,)), ("b", (2,))]
    best, highest, start = search.better(Two(), steps, score)
    assert (best, highest, start) == (Two(2, 2), 0, -12)
    assert len(asked) == len(set(asked)), "nothing is tried twice"


def test_nobody_with_a_few_items_means_the_settings_as_they_are() -> None:
    data = interactions(np.arange(4), np.arange(4), shape=(4, 4))
    assert topn.tuned(data, topn.Settings()) == topn.Settings()


def test_what_is_held_back_is_not_known() -> None:
    users, items = np.nonzero(np.random.default_rng(1).random((50, 40)) < 0.4)
    data = interactions(users, items, shape=(50, 40))
    split = topn.hold_back(data)
    assert split is not None
    assert (split.known.by_user + split.held != data.by_user).nnz == 0
    assert split.known.by_user.multiply(split.held).nnz == 0
    shares = np.diff(split.held.indptr) / data.lengths()
    assert 0.19 < shares.min() <= shares.max() <= 0.4


def parquet(path: Path, select: str) -> Path:
    duckdb.connect().execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize(
    ("select", "sentence"),
    [
        (None, "There is no file"),
        ("text", "is no readable Parquet file"),
        ("SELECT 1 AS user_id, 2 AS item", "has no column user; it has item, user_id"),
        ('SELECT 1 AS "user", 2 AS item WHERE false', "has no rows"),
        ('SELECT NULL::INTEGER AS "user", 2 AS item', "has rows without user"),
    ],
)
def test_a_file_that_cannot_be_evaluated_is_named(
    select: str | None, sentence: str, tmp_path: Path, history: tuple[Path, Path]
) -> None:
    wrong, output = tmp_path / "wrong.parquet", tmp_path / "lists.parquet"
    if select == "text":
        wrong.write_text("user,item\n1,2\n")
    elif select:
        parquet(wrong, select)
    with pytest.raises(CommandError, match=sentence) as caught:
        evaluate("topn", "--train", wrong, "--test", history[1], "--output", output)
    assert caught.value.returncode == 2
    assert not output.exists()


@pytest.mark.parametrize("items", [12, 30, 400])
def test_lists_by_chance_hold_each_new_item_once(items: int) -> None:
    known = interactions(np.array([0, 0, 1]), np.array([3, 5, 7]), shape=(40, items))
    lists = baselines.at_random(known, most=10)
    assert lists.shape == (40, 10)
    for user, one in enumerate(lists):
        found = [item for item in one if item >= 0]
        assert len(set(found)) == len(found) == 10
        assert not set(found) & {0: {3, 5}, 1: {7}}.get(user, set())
    assert len(np.unique(lists)) > items / 2
    few = baselines.at_random(interactions(np.array([0]), np.array([0]), shape=(1, 3)), most=5)
    assert sorted(few[0]) == [-1, -1, -1, 1, 2]


def test_numbers_and_texts_are_not_compared(tmp_path: Path, history: tuple[Path, Path]) -> None:
    numbers = parquet(tmp_path / "numbers.parquet", 'SELECT 1 AS "user", 2 AS item')
    with pytest.raises(CommandError, match="The column user holds texts in .+ and numbers in"):
        evaluate("topn", "--train", history[0], "--test", numbers)


@pytest.mark.parametrize("k", [0, 1001, -5])
def test_the_length_of_lists_has_limits(k: int, history: tuple[Path, Path]) -> None:
    with pytest.raises(CommandError, match="--k must be from 1 to 1000"):
        evaluate("topn", "--train", history[0], "--test", history[1], "--k", k)


def test_lists_appear_whole_or_not_at_all(history: tuple[Path, Path], tmp_path: Path) -> None:
    train, test = history
    with pytest.raises(CommandError, match="cannot be written") as caught:
        evaluate("topn", "--train", train, "--test", test, "--output", tmp_path / "no/folder.parquet")
    assert caught.value.returncode == 2
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "lists.parquet").mkdir()
    with pytest.raises(CommandError, match="cannot be written"):
        evaluate("topn", "--train", train, "--test", test, "--output", folder / "lists.parquet")
    assert [path.name for path in folder.iterdir()] == ["lists.parquet"], "nothing half written is left"


def test_without_json_the_report_is_for_people(history: tuple[Path, Path]) -> None:
    out = StringIO()
    call_command("evaluate", "topn", "--train", str(history[0]), "--test", str(history[1]), stdout=out)
    said = out.getvalue()
    assert "recall at 20: " in said
    assert "Settings: candidates" in said
    assert "CPU-seconds" in said


@pytest.fixture
def own_lake(settings: Any, tmp_path: Path) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"


def track(customer_id: str, histories: dict[str, list[int]]) -> None:
    """One click a minute and person, all of them long ago enough to be archived."""
    begin = datetime.now(UTC) - timedelta(hours=20)
    rows = [
        HistoricEvent(
            event="click", user=user, item_type=38, item_id=str(item), ts=begin + timedelta(minutes=place)
        )
        for user, items in histories.items()
        for place, item in enumerate(items)
    ]
    replay.store(customer_id, rows)


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.usefixtures("own_lake")
def test_a_customer_is_evaluated_by_its_own_later_events(account: Account, tmp_path: Path) -> None:
    chance = np.random.default_rng(4)
    tastes = {
        f"u{user}": [(user % 5) * 6 + 1 + int(one) for one in chance.permutation(6)] for user in range(60)
    }
    track(account.customer_id, tastes)
    output = tmp_path / "lists.parquet"
    report = evaluate(
        "customer", "--customer", account.customer_id, "--later", 0.34, "--k", 4, "--output", output
    )
    assert report["data"] == {"users": 60, "items": 30, "train": 237, "test": 123}
    assert report["figures"]["recall"] > 0.9, "what is left of a taste"
    row = Evaluation.objects.get(customer_id=account.customer_id)
    assert row.report == report
    assert (row.signal, row.places, row.later) == ("click", 4, 0.34)
    assert row.begins_at < row.cut_at < row.ends_at
    lists = rows(output)
    assert {item.split("/")[0] for _user, item in lists} == {"38"}
    assert not {user for user, _item in lists} & tastes.keys(), "people by their pseudonyms"


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.usefixtures("own_lake")
def test_a_customer_that_cannot_be_evaluated_is_told_why(account: Account) -> None:
    with pytest.raises(CommandError, match="There is no customer '999'. Known are: "):
        evaluate("customer", "--customer", "999")
    with pytest.raises(CommandError, match="There are no click events"):
        evaluate("customer", "--customer", account.customer_id)
    track(account.customer_id, {"a": [1], "b": [2], "c": [3]})
    with pytest.raises(CommandError, match="3 events .+ are too few"):
        evaluate("customer", "--customer", account.customer_id)
    for wrong in (("--later", 0), ("--later", 1), ("--days", 0), ("--days", -3), ("--days", 1e9)):
        with pytest.raises(CommandError, match="--later must lie between 0 and 1, --days between") as caught:
            evaluate("customer", "--customer", account.customer_id, *wrong)
        assert caught.value.returncode == 2
