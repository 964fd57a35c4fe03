"""Requests that number themselves are taken in that order, however they arrive."""

from __future__ import annotations

import random
from typing import Any

import pytest

from cdp.models import BulkBatch, LastChange
from personalization.segments.models import Segment
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


def told(version: int, **more: Any) -> dict[str, Any]:
    return {
        "id": "a", "identifier": "a", "name": f"Name {version}", "description": f"As of {version}",
        "tags": [f"v{version}"], "profile_count": version, "updated_at": f"2026-05-01T05:00:{version:02}Z",
    } | more  # fmt: skip


def facts() -> tuple[Any, ...]:
    segment = Segment.objects.get()
    return segment.name, segment.description, segment.tags, segment.size, str(segment.counted_at)[17:19]


def version(number: int) -> tuple[Any, ...]:
    return f"Name {number}", f"As of {number}", [f"v{number}"], number, f"{number:02}"


def test_old_facts_of_an_audience_do_not_come_back(platform: Platform) -> None:
    arrival = list(range(1, 41))
    random.Random(1).shuffle(arrival)
    highest = 0
    for number in arrival:
        assert platform.send(audiences=[told(number)], sequence=number).status_code == 200
        highest = max(highest, number)
        assert facts() == version(highest)
    # The number decides, whatever the platform's clock says; of one number the arrival does.
    platform.send(audiences=[told(3, updated_at="2020-01-01T00:00:03Z")], sequence=41)
    platform.send(audiences=[told(50)], sequence=40)
    assert facts() == version(3)
    platform.send(audiences=[told(4)], sequence=41)
    assert facts() == version(4)


def test_without_numbers_the_date_of_the_facts_decides(platform: Platform) -> None:
    for number in (7, 6):
        platform.send(audiences=[told(number)])
        assert facts() == version(7)
    platform.send(audiences=[told(8, updated_at="2026-05-01T05:00:07Z")])
    assert facts()[:4] == version(8)[:4]
    platform.send(audiences=[told(9)])
    assert facts() == version(9)


@pytest.mark.parametrize("wrong", [-1, "7", 1.5, True, 2**63])
def test_a_number_is_a_whole_one(platform: Platform, wrong: Any) -> None:
    answer = platform.send(sequence=wrong)
    assert answer.status_code in (400, 422)
    assert answer.status_code == 400 or "/sequence" in answer.json()["error"]["message"]
