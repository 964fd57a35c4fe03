"""What an activation sends becomes members of segments: once, in order, and nothing half."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from cdp.models import BulkItem, WebhookRequest
from personalization.segments import changes, queries
from personalization.segments.changes import Locked
from personalization.segments.models import Segment, SegmentGroup
from tests.cdp.conftest import OTHER_SECRET, Platform
from tests.cdp.webhook.state import members, work

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 12
NAMED = {"id": "a", "identifier": "a", "name": "x"}


@pytest.mark.case("V07")
def test_it_fills_a_segment(platform: Platform, users: list[int]) -> None:
    answer = platform.send(("add", "a1", str(users[0])), ("add", "a1", users[1]), ("add", "a2", users[0]))

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "processed", "applied": 3, "unchanged": 0, "skipped": 0, "errors": [],
    }  # fmt: skip
    assert members("a1") == {users[0], users[1]}
    assert queries.of_user(users[0]).identifiers == {"audience_a1", "audience_a2"}
    assert not answer.cookies
    answer = platform.send(("remove", "a1", users[0]), ("remove", "a2", users[1]), ("add", "a1", users[1]))
    assert answer.json()["applied"] == 1
    assert answer.json()["unchanged"] == 2
    assert members("a1") == {users[1]}


@pytest.mark.case("V09", "V11")
def test_an_audience_becomes_a_segment_with_its_first_member(platform: Platform, group: SegmentGroup) -> None:
    User.objects.create(pk=14, username="ada")
    told = {"id": "aud_12", "identifier": "cat_owners", "name": "Cat owners"}
    added = [{"op": "add", "audience": "aud_12", "person": "14"}]
    answer = platform.send(audiences=[told], actions=added)
    assert (answer.status_code, answer.json()["applied"]) == (200, 1)
    segment = Segment.objects.get()
    assert (segment.group, segment.identifier, segment.name) == (group, "cat_owners", "Cat owners")
    assert members("aud_12") == {14}
    again = platform.send(audiences=[told], actions=added)
    assert (again.status_code, again.json()["applied"], again.json()["unchanged"]) == (200, 0, 1)


@pytest.mark.case("V13")
def test_order_counts_within_a_request(platform: Platform, users: list[int]) -> None:
    one = users[0]
    answer = platform.send(("add", "a", one), ("remove", "a", one), ("add", "a", one), ("remove", "a", one))
    assert answer.json()["applied"] == 4
    assert members("a") == set()


@pytest.mark.case("V15")
def test_audiences_become_segments_of_the_group(platform: Platform, group: SegmentGroup) -> None:
    other = changes.create_group(identifier="hand", name="By hand")
    changes.create_segment(other, identifier="cats", name="Cats by hand")
    told = {
        "id": "aud_12", "identifier": "cats", "name": "Cat owners", "description": "They have cats",
        "tags": ["pets"], "profile_count": 1240, "updated_at": "2026-05-01T05:00:00Z",
    }  # fmt: skip
    answer = platform.send(audiences=[told])
    assert (answer.status_code, answer.json()["applied"]) == (200, 0)
    segment = Segment.objects.get(audience="aud_12")
    assert (segment.group, segment.identifier, segment.name) == (group, "cats_2", "Cat owners")
    assert (segment.size, segment.tags, segment.description) == (1240, ["pets"], "They have cats")
    assert str(segment.counted_at) == "2026-05-01 05:00:00+00:00"

    platform.send(audiences=[told | {"name": "Owners", "profile_count": 7, "identifier": "else"}])
    segment.refresh_from_db()
    assert (segment.identifier, segment.name, segment.size) == ("cats_2", "Owners", 7)
    with pytest.raises(Locked):
        changes.change_segment(segment, name="Mine")


def test_identifiers_that_many_audiences_share_get_numbers(platform: Platform) -> None:
    name = "a" * 64
    told = [{"id": f"aud_{n}", "identifier": name, "name": "A"} for n in range(1000)]
    assert platform.send(audiences=told).status_code == 200
    found = set(Segment.objects.values_list("identifier", flat=True))
    assert len(found) == 1000
    assert {len(one) for one in found} == {64}


def test_a_time_without_an_offset_is_in_utc(platform: Platform) -> None:
    told = NAMED | {"updated_at": "2026-05-01T05:00:00"}
    platform.send(audiences=[told])
    counted = Segment.objects.get().counted_at
    assert counted is not None
    assert counted.isoformat() == "2026-05-01T05:00:00+00:00"


def test_a_repetition_gets_the_same_answer_and_does_nothing(platform: Platform, users: list[int]) -> None:
    document = platform.document(("add", "a", users[0]))
    first = platform.post(document)
    changes.remove_members([(Segment.objects.get().pk, users[0])])
    again = platform.post(document)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert again["Idempotent-Replay"] == "true"
    assert members("a") == set()
    other = platform.post(document | {"audiences": document["audiences"] * 2})
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "request_id_reused"


def test_one_request_many_times_at_once_has_one_effect(platform: Platform, users: list[int]) -> None:
    """As R23 of the reference has it, with fewer requests; at once and through the queue."""
    people = [users[:2], users[2:4], users[4:6], users[6:110]]
    documents = [platform.document(*[("add", "a", one) for one in some]) for some in people]

    def post(document: dict[str, Any]) -> tuple[int, Any, bool]:
        try:
            answer = Platform().post(document)
            return answer.status_code, answer.json(), answer.has_header("Idempotent-Replay")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, [one for one in documents for _ in range(TIMES)]))
    for number, some in enumerate(people):
        own = answers[number * TIMES : (number + 1) * TIMES]
        status, said, _ = own[0]
        assert [one[:2] for one in own] == [(status, said)] * TIMES
        assert sorted(is_replay for _, _, is_replay in own) == [False] + [True] * (TIMES - 1)
        assert (status, said.get("applied", said.get("queued"))) == (202 if number == 3 else 200, len(some))
    assert WebhookRequest.objects.count() == len(people)
    assert BulkItem.objects.count() == len(people[3])
    work()
    assert members("a") == set(users[:110])


def test_activations_do_not_see_each_other(platform: Platform, users: list[int]) -> None:
    theirs = Platform("theirs", OTHER_SECRET)
    batch = platform.send(*[("add", "a", one) for one in users[:100]]).json()["batch"]
    path = f"/cdp/webhook/batches/{batch}"
    assert platform.client.get(path, headers=platform.headers).json()["state"] == "queued"
    assert theirs.client.get(path, headers=theirs.headers).status_code == 404
    assert theirs.client.get(path).status_code == 401
    # The same ids of requests and audiences are others.
    answer = theirs.send(("add", "a", users[0]), segment_group_identifier="others")
    assert answer.status_code == 200
    assert Segment.objects.filter(audience="a").count() == 2
