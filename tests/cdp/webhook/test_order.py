"""Requests that number themselves are taken in that order, however they arrive."""

from __future__ import annotations

import random
from typing import Any

import pytest

from cdp.models import BulkBatch, LastChange
from tests.cdp.conftest import Platform
from tests.cdp.webhook.state import members, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_request_that_was_overtaken_undoes_nothing(platform: Platform, users: list[int]) -> None:
    platform.send(("add", "a", users[0]), sequence=7)
    answer = platform.send(("remove", "a", users[0]), ("add", "a", users[1]), sequence=6)
    assert (answer.json()["applied"], answer.json()["unchanged"]) == (1, 1)
    assert members("a") == {users[0], users[1]}
    platform.send(("remove", "a", users[0]), sequence=8)
    assert members("a") == {users[1]}


def test_within_one_number_and_without_any_the_arrival_counts(platform: Platform, users: list[int]) -> None:
    one = users[0]
    platform.send(("add", "a", one), ("remove", "a", one), ("add", "a", one), sequence=3)
    assert members("a") == {one}
    platform.send(("remove", "a", one), sequence=3)
    assert members("a") == set()
    platform.send(("add", "a", one))
    assert members("a") == {one}


def test_numbers_hold_through_the_queue(platform: Platform, users: list[int]) -> None:
    some = users[:120]
    platform.send(*[("remove", "a", one) for one in some], sequence=5)
    platform.send(*[("add", "a", one) for one in some], sequence=4)
    # At once, and older than both, though they wait.
    platform.send(("add", "a", some[0]), sequence=3)
    platform.send(("add", "a", some[1]), sequence=6)
    work()
    assert members("a") == {some[1]}
    late = BulkBatch.objects.get(sequence=4)
    assert (late.state, late.applied, late.unchanged) == ("finished", 0, 120)


def test_what_has_no_number_is_not_noted(platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "a", one) for one in users[:150]])
    platform.send(("add", "a", users[0]))
    work()
    assert not LastChange.objects.exists()


@pytest.mark.parametrize("seed", range(3))
def test_it_leaves_what_the_order_of_numbers_leaves(platform: Platform, users: list[int], seed: int) -> None:
    chance = random.Random(seed)
    requests: list[list[tuple[str, str, Any]]] = [
        [
            (chance.choice(["add", "remove"]), "a", chance.choice(users[:60]))
            for _ in range(chance.choice([1, 30, 99, 100, 150]))
        ]
        for _ in range(10)
    ]
    expected: set[int] = set()
    for actions in requests:
        for op, _, person in actions:
            (expected.add if op == "add" else expected.discard)(person)
    arrival = list(enumerate(requests))
    chance.shuffle(arrival)
    for number, actions in arrival:
        assert platform.send(*actions, sequence=number).status_code in (200, 202)
        if chance.random() < 0.4:
            work()
    work()
    assert members("a") == expected
    assert {one.state for one in BulkBatch.objects.all()} <= {"finished"}


@pytest.mark.parametrize("wrong", [-1, "7", 1.5, True, 2**63])
def test_a_number_is_a_whole_one(platform: Platform, wrong: Any) -> None:
    answer = platform.send(sequence=wrong)
    assert answer.status_code in (400, 422)
    assert answer.status_code == 400 or "/sequence" in answer.json()["error"]["message"]
