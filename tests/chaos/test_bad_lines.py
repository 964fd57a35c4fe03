"""Replies get lost, requests are cut in the middle and clients go away, but ..."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.chaos.clients import Answer, connect, exchange
from tests.chaos.cutting_proxy import Habits, cutting_proxy
from tests.chaos.postgres import Cluster
from tests.chaos.storm import SHIPPED, SURGING
from tests.chaos.traffic import Act, acts
from tests.chaos.verdict import EVENTS, LINKED, Place
from tests.tracking.collector_process import CollectorProcess, environment, prepare

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
REQUESTS = 60
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close at once, with a reset


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def each_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The line itself is the same for both; what they make of a repeated event is not."""
    if request.param == "sqlite":
        return Place(tmp_path)
    server: Cluster = request.getfixturevalue("postgresql")
    return Place(tmp_path, server.new_database())


@contextmanager
def collecting(place: Place, module: str) -> Iterator[CollectorProcess]:
    env = environment(place.folder, **({"DATABASE_URL": place.url} if place.url else {}))
    prepare(env)
    collector = CollectorProcess(env, module=module)
    collector.start()
    try:
        yield collector
    finally:
        assert collector.stop() == 0  # it has moved what its journal held


def requests_with_ids(count: int) -> list[Act]:
    return list(islice((act for act in acts("bad line", 0) if act.is_repeatable), count))


def reply(port: int, act: Act) -> Answer | None:
    """What came back on a connection of its own; None when that was cut."""
    with suppress(OSError), closing(connect(port)) as connection:
        return exchange(connection, act)
    return None


def stored(place: Place) -> list[str]:
    return sorted(row[1] for row in place.rows(EVENTS))


def keys(sent: list[Act]) -> list[str]:
    return sorted(key for act in sent for key in act.events)


@pytest.mark.parametrize("module", [SHIPPED, SURGING])
def test_an_event_whose_reply_was_lost_is_stored_once_when_it_is_repeated(
    each_place: Place, module: str
) -> None:
    place = each_place
    sent = requests_with_ids(REQUESTS)
    with collecting(place, module) as collector:
        with cutting_proxy(collector.port, Habits(lose_reply=1), seed="lost") as line:
            assert [reply(line.port, act) for act in sent] == [None] * REQUESTS
        assert line.did["lose_reply"] == REQUESTS
        if module == SHIPPED:
            assert stored(place) == keys(sent), "the replies were lost before the commit"
        answers = [reply(collector.port, act) for act in sent]
        assert all(answer and answer.is_success for answer in answers)
    assert stored(place) == keys(sent)
    logins = sum(facts.event == "login" for act in sent for facts in act.events.values())
    assert place.rows(LINKED) == [(logins, logins)]


def test_a_request_that_was_cut_is_stored_whole_or_not_at_all(place: Place) -> None:
    sent = [act for act in requests_with_ids(250) if len(act.events) > 1]
    with collecting(place, SHIPPED) as collector:
        with cutting_proxy(collector.port, Habits(cut_request=1), seed="cut") as line:
            assert not any(reply(line.port, act) for act in sent)
        assert line.did["cut_request"] == len(sent) > 10
        assert stored(place) == []
        with cutting_proxy(collector.port, Habits(dawdle=1), seed="slow") as line:
            answers = [reply(line.port, act) for act in sent]
        assert all(answer and answer.is_success for answer in answers)
    assert stored(place) == keys(sent)


def test_clients_that_leave_in_the_middle_of_a_batch_keep_nobody_waiting(place: Place) -> None:
    """They send half a batch: then a third says nothing more, a third ends the connection or resets it."""
    *halves, whole = [act for act in requests_with_ids(400) if len(act.events) > 1]
    others = [act for act in requests_with_ids(200) if len(act.events) == 1][:50]
    with collecting(place, SHIPPED) as collector, ExitStack() as open_ones:
        for act, leave in zip(halves, cycle(["stay", "end", "reset"]), strict=False):
            connection = open_ones.enter_context(closing(connect(collector.port)))
            connection.sendall(act.request[: len(act.request) // 2])
            go_away(connection, leave)
        for act in (*others, whole):
            answer = reply(collector.port, act)
            assert answer is not None
            assert answer.is_success
    assert stored(place) == keys([*others, whole])


def go_away(connection: socket.socket, leave: str) -> None:
    if leave == "end":
        connection.shutdown(socket.SHUT_WR)
    elif leave == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()


def test_clients_that_leave_before_their_answer_keep_nobody_waiting(place: Place) -> None:
    """They send whole batches, one after the other, and reset the connection without having read a byte."""
    sent = requests_with_ids(200)
    gone, others = sent[:150], sent[150:]
    with collecting(place, SHIPPED) as collector:
        for start in range(0, len(gone), 10):
            connection = connect(collector.port)
            connection.sendall(b"".join(act.request for act in gone[start : start + 10]))
            go_away(connection, "reset")
        assert all(answer and answer.is_success for answer in (reply(collector.port, act) for act in others))
        assert set(stored(place)) <= set(keys(sent))
        answers = [reply(collector.port, act) for act in gone]
        assert all(answer and answer.is_success for answer in answers)
    assert stored(place) == keys(sent)
