"""Between builds of everything: what something happened to is learnt again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import duckdb
import numpy as np
import pytest
from django.utils import timezone

from config.jobs import queue
from config.jobs.models import Job
from personalization.server import training
from personalization.server.artefacts import shelf
from personalization.server.learning import events, registry
from personalization.server.learning.base import Learned
from personalization.server.learning.events import SECOND, History
from personalization.server.models import Model, ModelBuild
from tests.personalization.server.conftest import Account
from tests.personalization.server.made import did, forget, happened, model

Event = tuple[str, str, int]  # user, item, seconds
START = 1_700_000_000


@contextmanager
def history(folder: Path, happened: Sequence[Event], *, code: str) -> Iterator[History]:
    file = folder / f"{len(happened)}.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            'CREATE TABLE e(event VARCHAR, "user" VARCHAR, item_type INT, item_id VARCHAR, ts BIGINT,'
            " quantity INT)"
        )
        rows = [[code, user, 38, item, (START + at) * SECOND, 1] for user, item, at in happened]
        connection.executemany("INSERT INTO e VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.execute(f"COPY e TO '{file}' (FORMAT parquet)")
    with events.opened([file], codes=[code], window_days=90) as found:
        yield found


def by_key(learned: Learned) -> dict[str, dict[str, float]]:
    return {
        key[1]: {
            learned.keys[j][1]: float(score)
            for j, score in zip(near.tolist(), scores.tolist(), strict=True)
            if j >= 0
        }
        for key, near, scores in zip(learned.keys, learned.neighbours, learned.scores, strict=True)
    }


@pytest.mark.parametrize("name", ["co_occurrence", "co_purchase"])
@pytest.mark.parametrize("seed", range(6))
def test_lists_that_are_learnt_again_are_those_of_a_build_of_everything(
    tmp_path: Path, name: str, seed: int
) -> None:
    chance = Random(seed)
    kind, code = registry.kind(name), "click" if name == "co_occurrence" else "buy"
    parameters = dict(kind.defaults)
    past = [
        (f"u{chance.randrange(60)}", f"i{int(chance.paretovariate(0.7)) % 40}", chance.randrange(100_000))
        for _ in range(500)
    ]
    newer = [
        (f"u{chance.randrange(90)}", f"i{chance.choice([3, 7, 90, 91])}", 100_000 + chance.randrange(1000))
        for _ in range(12)
    ]
    with history(tmp_path, past, code=code) as before:
        known, since = kind.learn(before, parameters=parameters), before.until
    with history(tmp_path, [*past, *newer], code=code) as after:
        again = kind.relearn(after, parameters=parameters, known=known, since=since, most=100)
        whole = kind.learn(after, parameters=parameters)

    assert again is not None
    assert again.keys == whole.keys
    assert again.events == whole.events
    old, new, full = by_key(known), by_key(again), by_key(whole)
    touched = {item for _, item, at in newer}
    added = touched - old.keys()
    for item, expected in full.items():
        if item in touched or added & expected.keys():
            assert new[item] == pytest.approx(expected, rel=1e-5), item
            assert list(new[item]) == list(expected)
        elif not added & expected.keys() and new[item] != old[item]:
            assert new[item] == pytest.approx(expected, rel=1e-5), item
    assert touched <= new.keys()


def test_an_item_that_is_gone_leaves_its_place_empty(tmp_path: Path) -> None:
    kind = registry.kind("co_occurrence")
    parameters = dict(kind.defaults)
    day = 86_400
    past = [(f"u{n}", item, n) for n in range(5) for item in ("old", "a", "b")]
    past += [(f"v{n}", item, 89 * day + n) for n in range(5) for item in ("a", "b", "c")]
    with history(tmp_path, past, code="click") as before:
        known, since = kind.learn(before, parameters=parameters), before.until
    assert "old" in by_key(known)["a"]
    newer = [("w", "c", 91 * day), ("w", "d", 91 * day + 5)]  # what was 90 days ago falls out of the window
    with history(tmp_path, [*past, *newer], code="click") as after:
        again = kind.relearn(after, parameters=parameters, known=known, since=since, most=100)
    assert again is not None
    assert [key[1] for key in again.keys] == ["a", "b", "c", "d"]
    assert set(by_key(again)["a"]) == {"b", "c"}
    assert (again.scores[again.neighbours >= 0] > 0).all()


def test_too_much_is_left_to_a_build_of_everything(tmp_path: Path) -> None:
    kind = registry.kind("co_occurrence")
    past = [(f"u{n}", item, n) for n in range(5) for item in "abc"]
    with history(tmp_path, past, code="click") as known_of:
        known = kind.learn(known_of, parameters=kind.defaults)
        assert kind.relearn(known_of, parameters=kind.defaults, known=known, since=0, most=2) is None


def test_only_kinds_that_say_so_learn_again(tmp_path: Path) -> None:
    with history(tmp_path, [("u", "a", 1), ("u", "b", 2)], code="click") as found:
        nothing = Learned(keys=found.keys, neighbours=np.zeros((2, 0), np.int32))
        for name, kind in registry.kinds().items():
            if not kind.relearns:
                again = kind.relearn(found, parameters=kind.defaults, known=nothing, since=0, most=9)
                assert again is None, name


@pytest.mark.django_db(transaction=True, databases="__all__")
class TestModels:
    def looked(self, account: Account, item: int, *, people: Sequence[int], days: float) -> None:
        for one in people:
            happened(account.customer_id, did("click", f"u{one}", 1, item, days=days))

    def made(self, account: Account) -> Model:
        self.looked(account, 2, people=range(5), days=3)
        model(account.customer_id, "co_occurrence", signal="click")
        return Model.objects.get(customer_id=account.customer_id, identifier="made")

    def test_a_new_item_stands_in_the_lists_of_others(self, account: Account) -> None:
        row = self.made(account)
        assert not training.has_news(row)
        assert training.refresh(row) is None
        assert row.builds.count() == 1
        self.looked(account, 3, people=range(10, 20), days=0.01)

        assert training.has_news(row)
        Job.objects.all().delete()
        training.refresh_pairs()
        jobs = Job.objects.filter(kind=training.REFRESH_JOB, payload={"model": row.pk})
        assert jobs.count() == 1
        queue.run_now(jobs.get())

        forget()
        artefact = shelf.current(account.customer_id, "made")
        assert artefact is not None
        near = artefact.neighbours[artefact.rows[38, "1"]]
        assert artefact.rows[38, "3"] in near.tolist()
        newest = row.builds.order_by("-id").first()
        assert newest is not None
        assert newest.partial
        assert newest.status == ModelBuild.Status.ACTIVE
        assert newest.version == artefact.version
        assert row.builds.filter(status=ModelBuild.Status.ACTIVE).count() == 1
        assert not training.has_news(row)

    def test_it_does_not_put_off_a_build_of_everything(self, account: Account) -> None:
        row = self.made(account)
        row.builds.update(started_at=timezone.now() - timedelta(hours=2))
        self.looked(account, 3, people=range(10, 20), days=0.01)
        assert training.refresh(row) is not None
        assert not training.is_fresh(row, seconds=3600)
        training.build(row)
        assert training.is_fresh(row, seconds=3600)
        training.build(row)  # the older of the two is replaced
        assert training.is_fresh(row, seconds=3600)

    def test_it_gives_way_to_a_build_under_way_and_to_new_parameters(self, account: Account) -> None:
        row = self.made(account)
        self.looked(account, 3, people=range(10, 20), days=0.01)
        under_way = ModelBuild.objects.create(model=row)
        assert training.refresh(row) is None
        under_way.delete()
        row.parameters = {"history_cap": 10}
        row.save()
        assert training.refresh(row) is None
        row.parameters = {}
        row.save()
        assert training.refresh(row) is not None

    def test_a_failed_build_of_everything_does_not_end_refreshes(self, account: Account) -> None:
        row = self.made(account)
        ModelBuild.objects.create(model=row, status=ModelBuild.Status.FAILED)
        self.looked(account, 3, people=range(10, 20), days=0.01)
        found = training.refresh(row)
        assert found is not None
        assert found.status == ModelBuild.Status.ACTIVE

    def test_a_build_that_began_meanwhile_wins(self, account: Account) -> None:
        row = self.made(account)
        serving = row.builds.get()
        mine = ModelBuild.objects.create(model=row, partial=True)

        def slow() -> training.Outcome:
            training.build(row)
            return training.learn(row)

        found = training.attempted(row, mine, slow, after=serving)
        theirs = row.builds.get(status=ModelBuild.Status.ACTIVE)
        forget()
        artefact = shelf.current(account.customer_id, "made")
        assert artefact is not None
        assert artefact.version == theirs.version != ""
        assert found.status == ModelBuild.Status.RETIRED
        assert training.is_overtaken(mine, serving)
        assert not training.is_overtaken(mine, theirs)
