"""Messages for other systems: newest wins, tried on schedule, parked in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from config.http import SafeClient
from config.jobs import outbox, pace, queue
from config.jobs.kinds import kinds
from config.jobs.models import Job, Outbox, State
from config.jobs.models import Receiver as Paced
from config.jobs.outbox import RetryLater
from config.jobs.queue import GiveUp

Sent = list[dict[str, Any]]
SetFailure = Callable[[Exception | None], None]


class Receiver:
    """The other side of these tests: takes messages, or fails as told."""

    def __init__(self) -> None:
        self.sent: Sent = []
        self.failure: Exception | None = None

    def take(self, message: Outbox) -> int:
        if self.failure:
            raise self.failure
        self.sent.append(message.payload)
        return 202


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    outbox.delivery("test")(made.take)
    yield made
    kinds.pop("test")


def put(number: int = 1, *, key: str = "k") -> Outbox:
    return outbox.put("test", key=key, payload={"n": number})


def due_now() -> None:
    Outbox.objects.update(run_after=timezone.now())


@pytest.mark.django_db
def test_it_delivers_a_message_once(receiver: Receiver) -> None:
    row = put()
    assert outbox.deliver_due() == 1
    assert outbox.deliver_due() == 0
    row.refresh_from_db()
    assert (row.state, row.response_status, receiver.sent) == (State.DONE, 202, [{"n": 1}])


@pytest.mark.django_db
def test_it_lets_the_newest_message_of_a_key_win(receiver: Receiver) -> None:
    first, second = put(1), put(2)
    other = put(3, key="other")
    second.refresh_from_db()
    assert (first.pk, second.version) == (second.pk, 2)
    assert other.pk != first.pk
    outbox.deliver_due()
    assert receiver.sent == [{"n": 2}, {"n": 3}]


@pytest.mark.django_db
def test_it_sends_a_message_that_came_during_a_delivery(receiver: Receiver) -> None:
    put(1)
    under_way = outbox.claim()
    put(2)
    assert under_way
    receiver.failure = RetryLater(reason="busy")
    outbox.postpone(under_way, error="busy")
    under_way.refresh_from_db()
    assert under_way.state == State.CANCELLED
    receiver.failure = None
    outbox.deliver_due()
    assert receiver.sent == [{"n": 2}]


@pytest.mark.django_db
def test_it_drops_an_old_message_taken_over_when_a_newer_waits(receiver: Receiver) -> None:
    put(1)
    outbox.claim()
    put(2)
    Outbox.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    outbox.deliver_due()
    assert receiver.sent == [{"n": 2}]


@pytest.mark.django_db
def test_it_tries_ten_times_on_schedule_and_then_parks(receiver: Receiver) -> None:
    receiver.failure = RuntimeError("down")
    row = put()
    for attempt in range(1, 11):
        due_now()
        before = timezone.now()
        outbox.deliver_due()
        row.refresh_from_db()
        if attempt < 10:
            planned = outbox.SCHEDULE_SECONDS[attempt]
            waited = (row.run_after - before).total_seconds()
            assert planned * 0.9 <= waited <= planned * 1.1 + 2
    assert row.state == State.PARKED
    assert row.error == "10 tries failed, the last: RuntimeError: down"
    assert outbox.deliver_due() == 0
    assert outbox.replay(row.pk)
    receiver.failure = None
    outbox.deliver_due()
    assert receiver.sent == [{"n": 1}]
    assert not outbox.replay(row.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(("asked", "waited"), [(7.0, 7), (10**9, 86_400), (-5, 0)])
def test_it_honours_the_wait_the_other_side_asks_for(receiver: Receiver, asked: float, waited: int) -> None:
    receiver.failure = RetryLater(asked, status=429)
    row = put()
    before = timezone.now()
    outbox.deliver([outbox.claim() or row])
    row.refresh_from_db()
    assert (row.state, row.response_status) == (State.QUEUED, 429)
    assert abs((row.run_after - before).total_seconds() - waited) < 3


@pytest.mark.django_db
def test_it_parks_sooner_where_the_deliverer_allows_fewer_tries(receiver: Receiver) -> None:
    receiver.failure = RetryLater(reason="The engine answered 401.", tries=2)
    row = put()
    for _ in range(2):
        due_now()
        outbox.deliver_due()
    row.refresh_from_db()
    assert (row.state, row.error) == (State.PARKED, "2 tries failed, the last: The engine answered 401.")


@pytest.mark.django_db
def test_it_fails_at_once_when_the_deliverer_gives_up(receiver: Receiver) -> None:
    receiver.failure = GiveUp("The address is malformed.")
    row = put()
    outbox.deliver_due()
    row.refresh_from_db()
    assert (row.state, row.error) == (State.FAILED, "The address is malformed.")


@pytest.mark.django_db
def test_it_keeps_a_message_when_the_other_system_is_away() -> None:
    @outbox.delivery("test.away")
    def away(_message: Outbox) -> int:
        return SafeClient(purpose="tests").request("POST", "http://127.0.0.1:9/", trusted=True).status

    row = outbox.put("test.away", key="k", payload={})
    outbox.deliver_due(limit=1)
    row.refresh_from_db()
    assert row.state == State.QUEUED
    assert "127.0.0.1:9 gave no complete answer" in row.error
    kinds.pop("test.away")


@pytest.mark.django_db
def test_it_delivers_on_commit_in_inline_mode(
    receiver: Receiver,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.JOBS_INLINE = True
    with django_capture_on_commit_callbacks(execute=True):
        put()
        assert receiver.sent == []
    assert receiver.sent == [{"n": 1}]


@pytest.fixture
def merging() -> Iterator[Receiver]:
    """The other side of a kind whose messages become one."""
    made = Receiver()
    outbox.delivery("test", merge=lambda older, newer: older | newer)(made.take)
    yield made
    kinds.pop("test")


def tell(**news: int) -> Outbox:
    return outbox.put("test", key="k", payload=news)


@pytest.mark.django_db
def test_it_merges_messages_that_wait_where_their_kind_says_how(merging: Receiver) -> None:
    tell(en=1, fr=1)
    tell(fr=2)
    outbox.deliver_due()
    assert merging.sent == [{"en": 1, "fr": 2}]


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["failed", "died"])
def test_what_only_an_undelivered_message_said_goes_with_the_next(how: str, merging: Receiver) -> None:
    tell(en=1, fr=1)
    under_way = outbox.claim()
    assert under_way
    tell(fr=2)
    if how == "failed":
        outbox.postpone(under_way, error="busy")
    else:
        Outbox.objects.filter(pk=under_way.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    while outbox.deliver_due():
        pass
    assert merging.sent == [{"en": 1, "fr": 2}]
    under_way.refresh_from_db()
    assert under_way.state == State.CANCELLED


class Crowd:
    """A receiver that takes several messages at once, and none that is poisoned."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.failure: Exception | None = None

    def take(self, messages: list[Outbox]) -> int:
        numbers = [message.payload["n"] for message in messages]
        self.calls.append(numbers)
        if self.failure:
            raise self.failure
        if 13 in numbers:
            raise outbox.OneByOne("The receiver will not have number 13.")
        return 202


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    made = Crowd()
    outbox.delivery_of_many("crowd", most=5, together=lambda message: Q(customer_id=message.customer_id))(
        made.take
    )
    yield made
    kinds.pop("crowd")


def put_many(count: int, *, customer: str = "1", start: int = 0) -> None:
    for number in range(start, start + count):
        outbox.put("crowd", key=f"{customer}-{number}", payload={"n": number}, customer_id=customer)


@pytest.mark.django_db
def test_it_delivers_what_belongs_together_in_one_call(crowd: Crowd) -> None:
    put_many(7)
    put_many(2, customer="2", start=100)
    assert outbox.deliver_due() == 9
    assert crowd.calls == [[0, 1, 2, 3, 4], [5, 6], [100, 101]]
    assert set(Outbox.objects.values_list("state", "attempts")) == {(State.DONE, 1)}


@pytest.mark.django_db
def test_it_finds_the_one_that_the_receiver_will_not_have(crowd: Crowd) -> None:
    put_many(4, start=11)
    outbox.deliver_due()
    assert crowd.calls == [[11, 12, 13, 14], [11], [12], [13], [14]]
    failed = Outbox.objects.get(state=State.FAILED)
    assert (failed.payload, failed.error) == ({"n": 13}, "The receiver will not have number 13.")
    assert Outbox.objects.filter(state=State.DONE).count() == 3


@pytest.mark.django_db
def test_it_puts_all_of_a_call_back_that_failed(crowd: Crowd) -> None:
    put_many(3)
    crowd.failure = RetryLater(60, reason="busy", status=503)
    outbox.deliver_due()
    assert set(Outbox.objects.values_list("state", "attempts", "error")) == {(State.QUEUED, 1, "busy")}
    crowd.failure = None
    due_now()
    outbox.deliver_due()
    assert crowd.calls[-1] == [0, 1, 2]


@pytest.mark.django_db
def test_it_keeps_to_ten_calls_a_second(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    """R22; the clock is the test's."""
    clock, moments = [timezone.now() + timedelta(hours=1)], []

    def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)

    def take(messages: list[Outbox]) -> int:
        moments.append(clock[0])
        return crowd.take(messages)

    monkeypatch.setattr(timezone, "now", lambda: clock[0])
    monkeypatch.setattr(pace.time, "sleep", sleep)
    monkeypatch.setitem(kinds, "crowd", replace(kinds["crowd"], deliver=take))
    put_many(5 * 25, start=100)
    while outbox.deliver_due():
        pass
    assert len(moments) == 25
    assert (moments[-1] - moments[0]).total_seconds() == pytest.approx(2.4)
    pairs = zip(moments, moments[10:], strict=False)
    assert all(later - first >= timedelta(seconds=1) for first, later in pairs)


@pytest.mark.django_db
def test_the_pace_counts_for_all_workers_and_survives_a_wrong_clock() -> None:
    waits = [pace.reserve("engine") for _ in range(5)]
    assert waits[0] == 0
    assert 0.3 < waits[4] <= 0.4
    assert pace.reserve("other engine") == 0
    Paced.objects.update(free_at=timezone.now() + timedelta(days=400))
    assert pace.reserve("engine") == 0


def per_language(older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any] | None:
    left = {name: value for name, value in older.items() if name not in newer}
    return left or None


@pytest.fixture
def ordered() -> Iterator[Receiver]:
    """A receiver of messages about several things each."""
    made = Receiver()
    outbox.delivery("test", merge=lambda older, newer: older | newer, remains=per_language)(made.take)
    yield made
    kinds.pop("test")


def park(row: Outbox) -> None:
    held = outbox.claim()
    assert held is not None
    assert held.pk == row.pk
    outbox.settle(held, State.PARKED, error="away")


@pytest.mark.django_db
def test_old_news_sent_again_never_follows_newer_news_that_went_out(ordered: Receiver) -> None:
    old = tell(en=1, fr=1)
    park(old)
    tell(fr=2)
    outbox.deliver_due()
    assert outbox.replay(old.pk)
    outbox.deliver_due()
    assert ordered.sent == [{"fr": 2}, {"en": 1}]


@pytest.mark.django_db
@pytest.mark.parametrize("newer", ["sent", "under way", "stopped"])
def test_old_news_without_anything_of_its_own_is_not_sent_again(newer: str, ordered: Receiver) -> None:
    old = tell(en=1)
    park(old)
    row = tell(en=2)
    if newer == "stopped":
        park(row)
    elif newer == "sent":
        outbox.deliver_due()
    else:
        assert outbox.claim()
    assert not outbox.replay(old.pk)
    old.refresh_from_db()
    assert old.state == State.PARKED


@pytest.mark.django_db
def test_what_a_person_sends_again_joins_what_waits(ordered: Receiver) -> None:
    old = tell(en=1, fr=1)
    park(old)
    waiting = tell(fr=2)
    Outbox.objects.filter(pk=waiting.pk).update(attempts=3, run_after=timezone.now() + timedelta(hours=5))
    assert outbox.replay(old.pk)
    outbox.deliver_due()
    old.refresh_from_db()
    assert (old.state, ordered.sent) == (State.CANCELLED, [{"en": 1, "fr": 2}])
    assert str(waiting.pk) in old.error


@pytest.mark.django_db
def test_news_stored_into_a_message_sent_again_is_newer_than_what_went_out_before(ordered: Receiver) -> None:
    old = tell(en=1)
    park(old)
    tell(fr=2)
    outbox.deliver_due()
    assert outbox.replay(old.pk)
    tell(fr=3)
    park(old)
    assert outbox.replay(old.pk)
    outbox.deliver_due()
    assert ordered.sent == [{"fr": 2}, {"en": 1, "fr": 3}]


@pytest.mark.django_db
def test_it_takes_no_second_message_of_a_key_while_one_is_under_way(ordered: Receiver) -> None:
    tell(en=1)
    under_way = outbox.claim()
    tell(en=2)
    assert under_way
    assert outbox.deliver_due() == 0
    outbox.settle(under_way, State.DONE)
    assert outbox.deliver_due() == 1
    assert ordered.sent == [{"en": 2}]


@pytest.mark.django_db
def test_a_message_waits_again_when_the_newer_one_went_meanwhile(
    ordered: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer one is gone between the refusal of the database and the look at it."""
    tell(en=1)
    under_way = outbox.claim()
    tell(fr=2)
    assert under_way
    give_way = outbox.give_way

    def late(message: Outbox, **values: Any) -> bool:
        Outbox.objects.filter(state=State.QUEUED).update(state=State.DONE)
        return give_way(message, **values)

    monkeypatch.setattr(outbox, "give_way", late)
    outbox.postpone(under_way, error="busy")
    under_way.refresh_from_db()
    assert (under_way.state, under_way.payload) == (State.QUEUED, {"en": 1})


@pytest.mark.django_db
def test_trying_one_by_one_keeps_what_another_worker_took(crowd: Crowd) -> None:
    put_many(4, start=11)
    first = outbox.claim()
    assert first
    messages = [first, *outbox.companions(first)]
    crowd.failure = outbox.OneByOne("not together")
    taken = messages[2]
    Outbox.objects.filter(pk=taken.pk).update(attempts=2, lease_owner="another")
    outbox.one_by_one(messages, reason="not together")
    assert crowd.calls == [[11], [12], [14]]


@pytest.mark.django_db
def test_all_that_stopped_is_sent_again_by_a_job(receiver: Receiver) -> None:
    for number in range(3):
        park(put(number, key=str(number)))
    queue.enqueue("outbox_replay")
    queue.run_due()
    outbox.deliver_due()
    assert receiver.sent == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert Job.objects.get().result == {"sent": 3}


@pytest.mark.django_db
def test_a_receiver_that_is_away_for_three_days_is_tried_ten_times(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R21: 75 hours and a little more, by a clock of the test's."""
    start = timezone.now()
    clock = [start]
    monkeypatch.setattr(timezone, "now", lambda: clock[0])
    receiver.failure = ConnectionError("away")
    row = put()
    tries = []
    while clock[0] < start + timedelta(hours=90):
        if outbox.deliver_due():
            tries.append((clock[0] - start).total_seconds() / 3600)
        clock[0] += timedelta(seconds=5 if len(tries) < 3 else 300)
    row.refresh_from_db()
    assert row.state == State.PARKED
    assert len(tries) == 10
    assert 75 * 0.9 <= tries[-1] <= 75 * 1.1 + 1
    receiver.failure = None
    assert outbox.replay(row.pk)
    assert outbox.deliver_due() == 1
    assert receiver.sent == [{"n": 1}]
