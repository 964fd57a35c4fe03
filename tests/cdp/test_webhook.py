"""What an activation sends becomes members of segments: once, in order, and nothing half."""

from __future__ import annotations

import logging
import random
import threading
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from cdp import checks, configuration
from cdp.models import BulkBatch, BulkItem, WebhookRequest
from cdp.webhook import queue
from config import site_access
from config.checks import Finding
from config.jobs import queue as jobs
from config.jobs.models import Job
from personalization.segments import changes, queries
from personalization.segments.changes import Locked
from personalization.segments.models import Membership, Segment, SegmentGroup
from tests.cdp.conftest import OTHER_SECRET, SECRET, SITES, Platform

pytestmark = pytest.mark.django_db(transaction=True)


def members(audience: str) -> set[int]:
    return set(Membership.objects.filter(segment__audience=audience).values_list("user", flat=True))


def work() -> None:
    """As the worker does."""
    jobs.run_due(kinds=[queue.JOB])


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


def test_order_counts_within_a_request(platform: Platform, users: list[int]) -> None:
    one = users[0]
    answer = platform.send(("add", "a", one), ("remove", "a", one), ("add", "a", one), ("remove", "a", one))
    assert answer.json()["applied"] == 4
    assert members("a") == set()


def test_who_is_not_known_is_skipped(platform: Platform, users: list[int]) -> None:
    answer = platform.send(
        *[("add", "a", person) for person in ("nobody", "0", "-1", "01", "9" * 30, "1.0", users[0])]
    )
    assert answer.status_code == 200
    assert (answer.json()["applied"], answer.json()["skipped"]) == (1, 6)
    assert answer.json()["errors"][0] == {"index": 0, "code": "unknown_person"}


def test_a_person_may_be_an_address(platform: Platform, users: list[int]) -> None:
    User.objects.create_user("twin", email="U1@example.org")
    answer = platform.send(
        ("add", "a", "U0@Example.ORG"), ("add", "a", "u1@example.org"), person_identifier="email"
    )
    # Two users have the second address.
    assert (answer.json()["applied"], answer.json()["skipped"]) == (1, 1)
    assert members("a") == {users[0]}


def test_audiences_become_segments_of_the_group(platform: Platform, group: SegmentGroup) -> None:
    other = changes.create_group(identifier="hand", name="By hand")
    changes.create_segment(other, identifier="cats", name="Cats by hand")
    told = {
        "id": "aud_12", "identifier": "cats", "name": "Cat owners", "description": "They have cats",
        "tags": ["pets"], "profile_count": 1240, "updated_at": "2026-05-01T05:00:00Z",
    }  # fmt: skip
    assert platform.send(audiences=[told]).json()["applied"] == 0
    segment = Segment.objects.get(audience="aud_12")
    assert (segment.group, segment.identifier, segment.name) == (group, "cats_2", "Cat owners")
    assert (segment.size, segment.tags, segment.description) == (1240, ["pets"], "They have cats")

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


def test_one_person_named_in_two_ways_is_one(platform: Platform, users: list[int]) -> None:
    many = [("add", "a", one) for one in users[:100]]
    platform.send(*many)
    removals = [("remove", "a", f"U{n}@example.org") for n in range(100)]
    platform.send(*removals, person_identifier="email")
    work()
    assert members("a") == set()
    platform.send(*many)
    platform.send(("remove", "a", "u0@EXAMPLE.org"), person_identifier="email")
    work()
    assert members("a") == set(users[1:100])


def test_nobody_is_the_person_without_an_address(platform: Platform) -> None:
    User.objects.create_superuser("root", password="pw")
    answer = platform.send(("add", "a", " "), person_identifier="email")
    assert answer.json()["skipped"] == 1


def test_how_a_person_is_named_is_not_kept(platform: Platform, users: list[int]) -> None:
    actions = [("add", "a", f"u{n}@example.org") for n in range(100)] + [("add", "a", "stranger@x.org")]
    platform.send(*actions, person_identifier="email")
    assert BulkItem.objects.filter(user=None).count() == 1
    for table in ("cdp_bulkitem", "cdp_webhookrequest", "cdp_bulkbatch"):
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
            assert "@" not in str(cursor.fetchall())


def test_what_was_tried_again_does_not_undo_what_is_newer(platform: Platform, users: list[int]) -> None:
    batch = platform.send(*[("add", "a", one) for one in users[:100]]).json()["batch"]
    BulkItem.objects.filter(user__in=users[:3]).update(status="failed")
    work()
    platform.send(("remove", "a", users[0]))
    failed = list(BulkItem.objects.filter(status="failed").order_by("pk"))
    assert [one.user for one in failed] == users[1:3]  # the removal was newer than the first
    platform.send(*[("remove", "a", one) for one in users[1:101]])
    work()
    assert queue.retry([failed[0].pk]) == 1
    work()
    assert queue.remove([failed[1].pk]) == 1
    assert members("a") == set()
    assert BulkBatch.objects.get(pk=batch).state == "finished"


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


# --- Through the queue ------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "status"), [(0, 200), (99, 200), (100, 202), (101, 202)])
def test_many_actions_are_queued(platform: Platform, users: list[int], count: int, status: int) -> None:
    answer = platform.send(*[("add", "a", users[n]) for n in range(count)])
    assert answer.status_code == status
    if status == 200:
        assert len(members("a")) == count
        assert not BulkItem.objects.exists()
        return
    assert answer.json()["queued"] == count
    assert BulkItem.objects.filter(status="queued").count() == count
    assert members("a") == set()
    work()
    assert len(members("a")) == count
    progress = platform.client.get(
        f"/cdp/webhook/batches/{answer.json()['batch']}", headers=platform.headers
    ).json()
    assert progress == {
        "batch": answer.json()["batch"], "state": "finished", "total": count, "applied": count,
        "unchanged": 0, "skipped": 0, "failed": 0,
    }  # fmt: skip


def test_the_newest_wins_whatever_way_it_took(platform: Platform, users: list[int]) -> None:
    some = users[:150]
    platform.send(*[("add", "a", one) for one in some])
    platform.send(("remove", "a", some[0]))  # at once, while the others wait
    platform.send(*[("remove", "a", one) for one in some[:120]])
    platform.send(("add", "a", some[1]))
    work()
    assert members("a") == {some[1], *some[120:]}


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_is_what_one_by_one_would_leave(platform: Platform, users: list[int], seed: int) -> None:
    chance = random.Random(seed)
    expected: dict[str, set[int]] = {"a": set(), "b": set()}
    for _ in range(12):
        actions = [
            (chance.choice(["add", "remove"]), chance.choice("ab"), chance.choice(users[:40]))
            for _ in range(chance.choice([1, 20, 99, 100, 230]))
        ]
        assert platform.send(*actions).status_code in (200, 202)
        for op, audience, person in actions:
            (expected[audience].add if op == "add" else expected[audience].discard)(person)
        if chance.random() < 0.4:
            work()
    work()
    assert {name: members(name) for name in expected} == expected
    for batch in BulkBatch.objects.all():
        assert batch.state == "finished"
        assert batch.applied + batch.unchanged + batch.skipped + batch.failed == batch.total


def test_several_workers_leave_what_one_would(
    platform: Platform, users: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AT_ONCE", 50)
    for op in ("add", "remove", "add", "remove", "add"):
        platform.send(*[(op, "a", one) for one in users[:200]])
    faults: list[BaseException] = []

    def worker() -> None:
        try:
            while queue.step("mine"):
                pass
        except BaseException as fault:  # noqa: BLE001 - whatever it is, the test fails with it
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not faults
    assert members("a") == set(users[:200])
    assert not BulkItem.objects.filter(status="queued").exists()


def test_an_item_whose_segment_is_gone_fails_alone(platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "ab"[n % 2], users[n]) for n in range(120)])
    Segment.objects.filter(audience="a").delete()
    work()
    assert len(members("b")) == 60
    failed = BulkItem.objects.filter(status="failed")
    assert failed.count() == 60
    assert {one.error for one in failed} == {"The segment of this item is gone."}

    out = StringIO()
    call_command("cdp_failed", stdout=out)
    assert "60 items failed." in out.getvalue()
    one = failed.order_by("pk")[0]
    call_command("cdp_failed", "retry", str(one.pk), stdout=out)
    assert "1 items wait for the worker again." in out.getvalue()
    work()
    call_command("cdp_failed", "remove", "--all", stdout=out)
    assert not failed.all().exists()
    for arguments in (["retry"], ["retry", "1", "--all"], ["remove", "99999999"]):
        with pytest.raises(CommandError):
            call_command("cdp_failed", *arguments)


def test_what_a_crash_left_is_swept(platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "a", one) for one in users[:100]])
    Job.objects.all().delete()
    queue.sweep()
    queue.sweep()
    assert Job.objects.filter(kind=queue.JOB).count() == 1
    work()
    assert len(members("a")) == 100


def test_what_is_settled_is_forgotten_in_time(platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "a", one) for one in users[:100]])
    work()
    old = timezone.now() - timedelta(days=8)
    BulkBatch.objects.update(received_at=old)
    queue.purge()
    assert not BulkItem.objects.exists()
    assert WebhookRequest.objects.exists()
    assert len(members("a")) == 100


# --- Wrong input ------------------------------------------------------------------------------


def changed(platform: Platform, **changes: Any) -> bytes:
    return orjson.dumps(platform.document(("add", "a", "1")) | changes)


ACTION = {"op": "add", "audience": "a", "person": "1"}
WRONG = {"id": "a", "identifier": "9", "name": "x"}
NAMED = {"id": "a", "identifier": "a", "name": "x"}
BAD = [
    (b"{", 400, "bad_json", ""),
    (b"[]", 400, "bad_json", "must be a JSON object"),
    ({"version": 2}, 422, "bad_document", "/version"),
    ({"request_id": ""}, 422, "bad_document", "/request_id"),
    ({"request_id": None}, 422, "bad_document", "/request_id"),
    ({"actions": [ACTION | {"op": "toggle"}]}, 422, "bad_document", "/actions/0/op"),
    ({"actions": [ACTION, ACTION | {"audience": "zz"}]}, 422, "bad_document", "/actions/1/audience"),
    ({"actions": [ACTION | {"person": ""}]}, 422, "bad_document", "/actions/0/person"),
    ({"actions": [ACTION | {"person": True}]}, 422, "bad_document", "/actions/0/person"),
    ({"actions": [ACTION | {"person": "a\u0000b"}]}, 422, "bad_document", "/actions/0/person"),
    ({"actions": [ACTION] * 5001}, 422, "bad_document", "/actions"),
    ({"person_identifier": "shoe"}, 422, "bad_document", "/person_identifier"),
    ({"audiences": [NAMED | {"name": " "}], "actions": []}, 422, "bad_document", "/audiences/0/name"),
    ({"audiences": [NAMED | {"tags": ["a\0"]}], "actions": []}, 422, "bad_document", "/audiences/0/tags/0"),
    ({"audiences": [NAMED | {"updated_at": "0001-01-01"}]}, 422, "bad_document", "/audiences/0/updated_at"),
    ({"audiences": [WRONG]}, 422, "bad_document", "/audiences/0/identifier"),
    ({"segment_group_identifier": "others"}, 403, "segment_group_mismatch", ""),
]


@pytest.mark.parametrize(("change", "status", "code", "says"), BAD)
def test_it_says_what_is_wrong(
    platform: Platform, users: list[int], change: Any, status: int, code: str, says: str
) -> None:
    body = change if isinstance(change, bytes) else changed(platform, **change)
    answer = platform.post(body)
    assert answer.status_code == status, answer.content
    assert answer.json()["error"]["code"] == code
    assert says in answer.json()["error"]["message"]
    for table in (Segment, Membership, BulkItem, WebhookRequest):
        assert not table._default_manager.exists()


def test_a_group_that_does_not_exist_is_named(platform: Platform, group: SegmentGroup) -> None:
    group.delete()
    answer = platform.send(("add", "a", "1"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "segment_group_unknown")


def test_it_takes_only_post_json_and_five_megabytes(platform: Platform) -> None:
    answer = platform.client.get("/cdp/webhook")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    answer = platform.client.post("/cdp/webhook", b"{}", content_type="text/plain", headers=platform.headers)
    assert answer.status_code == 415
    assert platform.post(b" " * (5 * 1024 * 1024 + 1)).status_code == 413
    deep = b'{"version": 1, "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    assert platform.post(deep).status_code in (400, 422)
    assert platform.send(path="/x").status_code == 200
    assert platform.post(platform.document(), path="/cdp/webhook/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Basic eA=="},
        {"authorization": "Bearer x"},
        {"x-cdp-client-id": "mine", "x-cdp-client-secret": "wrong"},
        {"x-cdp-client-id": "mine"},
        {"x-cdp-client-id": "mine", "x-cdp-client-secret": OTHER_SECRET},
        {"x-cdp-client-id": "nobody", "x-cdp-client-secret": SECRET},
        Platform().headers | {"x-cdp-client-id": "theirs", "x-cdp-client-secret": OTHER_SECRET},
    ],
)
def test_it_wants_the_credentials_of_an_activation(platform: Platform, headers: dict[str, str]) -> None:
    answer = platform.post(b"not even JSON", headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Basic realm="cdp"'


def test_both_ways_of_presenting_them_work(platform: Platform) -> None:
    named = {"x-cdp-client-id": "mine", "x-cdp-client-secret": SECRET}
    assert platform.post(platform.document(), headers=named).status_code == 200
    assert platform.post(platform.document(), headers=platform.headers | named).status_code == 200


def test_guessing_ends_after_ten_and_holds_nobody_up(platform: Platform) -> None:
    wrong = {"x-cdp-client-id": "mine", "x-cdp-client-secret": "wrong"}
    answers = [platform.post(b"{}", headers=wrong).status_code for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2
    assert platform.send().status_code == 200  # from the same address


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


def test_every_request_is_logged_without_secrets_and_people(
    platform: Platform, users: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="cdp.webhook"):
        platform.send(("add", "a", "mabel@example.org"), person_identifier="email")
        platform.post(b"{", headers={})
    [first, second] = [one.getMessage() for one in caplog.records if one.name == "cdp.webhook"]
    assert "request r1 of client mine, 1 actions -> 200" in first
    assert "-> 401 unauthorized" in second
    assert "mabel" not in first
    assert SECRET not in first + second


# --- Configuration ----------------------------------------------------------------------------


def configured(sites: Path, text: str) -> configuration.Configuration:
    sites.write_text(text)
    site_access.reload()
    return configuration.current()


def test_it_reads_every_site_and_placeholders(sites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDP_SECRET", "from-the-environment")
    found = configured(sites, SITES.replace(SECRET, "'%env(CDP_SECRET)%'"))
    assert found.activations["mine"].client_secret == "from-the-environment"
    assert found.activations.keys() == {"mine", "theirs"}
    assert configuration.filled_groups() == {"audiences", "others"}
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("client_id: theirs", "client_id: mine", "another activation has the client id 'mine'"),
        (
            f"client_secret: {SECRET},",
            "",
            "cdp.activations.0.client_secret of site 'site_en': Field required.",
        ),
        ("threshold: 100", "threshold: 0", "bulk_async_threshold must be a whole number from 1 on; got '0'"),
        ("threshold: 100", "threshold: many", "bulk_async_threshold must be a whole number"),
        (SECRET, "'%env(NOT_SET_ANYWHERE)%'", "NOT_SET_ANYWHERE"),
        ("123456", "no", "cdp.account_number of site 'site_en'"),
    ],
)
def test_it_names_what_is_wrong_with_it(sites: Path, old: str, new: str, says: str) -> None:
    found = configured(sites, SITES.replace(old, new, 1))
    assert any(says in fault for fault in found.faults), found.faults
    assert SECRET not in "".join(found.faults)
    assert found.threshold == 100
    assert "theirs" in found.activations or "mine" in found.activations


def test_the_threshold_is_the_files(sites: Path, platform: Platform, users: list[int]) -> None:
    configured(sites, SITES.replace("threshold: 100", "threshold: 2"))
    assert platform.send(("add", "a", users[0])).status_code == 200
    assert platform.send(("add", "a", users[0]), ("add", "a", users[1])).status_code == 202


def doctor() -> list[Finding]:
    return [found for found in (*checks.configured(), *checks.queue()) if not found.well]


def test_doctor_says_what_is_missing(
    sites: Path, group: SegmentGroup, platform: Platform, users: list[int], settings: Any
) -> None:
    assert doctor() == []
    group.delete()
    assert "'audiences' does not exist" in doctor()[0].text
    demo = configuration.Activation
    configured(
        sites, SITES.replace(SECRET, "short").replace(OTHER_SECRET, "demo-secret-for-local-use-only-0000")
    )
    assert demo
    texts = " ".join(one.text for one in doctor())
    assert "shorter than 32 characters" in texts
    settings.DEBUG = False
    assert [one.about for one in doctor() if one.refused] == ["activation theirs"]
    settings.DEBUG = True
    assert not [one for one in doctor() if one.refused]


def test_doctor_asks_for_the_worker(platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "a", one) for one in users[:100]])
    assert doctor() == []
    BulkItem.objects.update(created_at=timezone.now() - timedelta(minutes=20))
    assert "Is the worker running?" in doctor()[0].remedy


def test_credentials_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("cdp_generate_credentials")
    first, second = capsys.readouterr().out.split()
    assert first.startswith("CDP_ACTIVATION_CLIENT_ID=")
    assert len(second.removeprefix("CDP_ACTIVATION_CLIENT_SECRET=")) >= 32
