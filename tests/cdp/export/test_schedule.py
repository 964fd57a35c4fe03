"""Exports by the clock: acceptance case X19 of the reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from cdp.export import checks, schedule
from cdp.export.models import ScheduledRun, StreamRun
from config.jobs import queue
from config.jobs.models import Job
from tests.cdp.export.conftest import CONTENT, OTHER, USERS, Receiver, WriteSites, run

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 10, 15, 20, tzinfo=UTC)
ENTRY = "{{interval: '{interval}', options: '{options}'}}"


@pytest.fixture
def plan(sites: WriteSites) -> Any:
    """Writes a schedule: section -> (interval, options) of its entries."""

    def write(**sections: list[tuple[str, str]]) -> None:
        lines = ["ibexa_cdp:", "  data_export:", "    schedule:"]
        for section, entries in sections.items():
            lines.append(f"      {section}:")
            lines += [f"        - {ENTRY.format(interval=one, options=two)}" for one, two in entries]
        sites(more="\n".join(lines))

    return write


def fire(moment: datetime) -> list[Job]:
    """Look at the clock and do what it asks for."""
    jobs = schedule.fire(moment)
    while queue.run_due():
        pass
    return [Job.objects.get(pk=job.pk) for job in jobs]


@pytest.mark.case("X19")
def test_x19_it_runs_an_entry_once_in_its_minute(receiver: Receiver, plan: Any) -> None:
    User.objects.create(username="ben")
    plan(user=[("*/15 * * * *", f"--stream-id={OTHER} --user-content-type=user --no-draft")])
    [job] = fire(NOON)
    assert job.state == "done"
    assert job.result["done"] == [
        "ibexa_cdp.data_export.schedule.user[0]: Sent 1 rows in 1 chunk(s), 0 skipped"
    ]
    [request] = receiver.requests
    assert request.headers["x-streamid"] == OTHER
    assert "x-isdraft" not in request.headers
    assert fire(NOON + timedelta(seconds=30)) == []
    assert fire(NOON.replace(minute=16)) == []
    assert fire(NOON.replace(minute=30)) != []
    assert len(receiver.requests) == 2
    assert OTHER not in str([Job.objects.values_list(), ScheduledRun.objects.values_list()])


def test_it_runs_the_entries_of_a_section_in_their_order(receiver: Receiver, plan: Any) -> None:
    plan(
        user=[
            ("* * * * *", f"--stream-id={OTHER} --no-draft"),
            ("0 * * * *", "--no-draft"),
            ("15 10 * * *", "--draft"),
        ]
    )
    [job] = fire(NOON)
    assert [one.headers["x-streamid"] for one in receiver.requests] == [OTHER, USERS]
    assert len(job.result["done"]) == 2


def test_it_goes_on_behind_an_entry_that_fails(receiver: Receiver, plan: Any) -> None:
    receiver.answers = [(400, {})]
    plan(
        user=[("* * * * *", "--no-draft"), ("* * * * *", "--limit=x"), ("* * * * *", "--draft")],
        content=[("* * * * *", '--content-type=article --no-draft "')],
    )
    user, content = fire(NOON)
    assert (user.state, content.state) == ("failed", "failed")
    assert "refused with 400" in user.error
    assert "--limit must be a whole number" in user.error
    assert "user[2]: Sent 0 rows" in user.error
    assert len(receiver.requests) == 2


def test_it_leaves_out_an_entry_that_still_runs(receiver: Receiver, plan: Any) -> None:
    plan(user=[("* * * * *", "--no-draft")])
    [job] = schedule.fire(NOON)
    assert schedule.fire(NOON + timedelta(minutes=1)) == []
    queue.run_due()
    assert schedule.fire(NOON + timedelta(minutes=1)) != []


def test_a_job_that_is_run_again_goes_on_with_its_run(receiver: Receiver, plan: Any) -> None:
    User.objects.bulk_create([User(username=f"u{n}") for n in range(3)])
    plan(user=[("* * * * *", "--no-draft --chunk-size=2")])
    [job] = schedule.fire(NOON)
    [number] = [one["run"] for one in job.payload["runs"]]
    receiver.answers = [(202, {}), (400, {})]
    run("stream_user_data", "--no-draft", "--chunk-size=2", f"--run-id={number}")  # its worker died
    queue.run_due()
    assert Job.objects.get(pk=job.pk).state == "done"
    assert receiver.sequences == ["0", "1", "1"]
    assert [row["login"] for row in receiver.rows] == ["u0", "u1", "u2"]


@pytest.mark.parametrize(
    ("interval", "moments", "started"),
    [
        # The hour from 2 to 3 is skipped on 2026-03-29.
        ("30 2 * * *", ["2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"], []),
        # It comes twice on 2026-10-25: at 0:30 and at 1:30 UTC.
        ("30 2 * * *", ["2026-10-25T00:30", "2026-10-25T01:30"], ["2026-10-25T00:30"]),
        (
            "*/30 * * * *",
            [
                "2026-10-25T00:00",
                "2026-10-25T00:30",
                "2026-10-25T01:00",
                "2026-10-25T01:30",
                "2026-10-25T02:00",
            ],
            ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T02:00"],
        ),
    ],
)
def test_it_keeps_to_the_clock_on_the_wall(
    interval: str, moments: list[str], started: list[str], plan: Any, receiver: Receiver, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    plan(user=[(interval, "--no-draft")])
    found = [one for one in moments if fire(datetime.fromisoformat(one).replace(tzinfo=UTC))]
    assert found == started


def test_it_forgets_a_start_of_a_clock_that_was_wrong(receiver: Receiver, plan: Any) -> None:
    plan(user=[("* * * * *", "--no-draft")])
    assert fire(NOON.replace(year=2036))
    assert fire(NOON)
    assert fire(NOON - timedelta(hours=1)) == []


def test_it_says_that_an_entry_is_gone(receiver: Receiver, plan: Any, sites: WriteSites) -> None:
    plan(user=[("* * * * *", "--no-draft")])
    [job] = schedule.fire(NOON)
    sites()
    queue.run_due()
    assert "is not in the sites file any more" in Job.objects.get(pk=job.pk).error


def test_the_command_looks_at_the_clock_once(receiver: Receiver, plan: Any) -> None:
    assert "Nothing is due" in run("cdp_cron").out[0]
    plan(user=[("* * * * *", "--no-draft")])
    assert run("cdp_cron").out == [
        "ibexa_cdp.data_export.schedule.user[0]: Sent 0 rows in 1 chunk(s), 0 skipped"
    ]
    receiver.answers = [(400, {})]
    plan(user=[("* * * * *", "--no-draft --strict")])
    said = run("cdp_cron")
    assert (said.code, "refused with 400" in said.err) == (1, True)


def test_the_worker_looks_at_the_clock(receiver: Receiver, plan: Any) -> None:
    plan(user=[("* * * * *", "--no-draft")])
    schedule.look_at_the_clock()
    queue.run_due()
    assert len(receiver.requests) == 1


def test_it_forgets_old_runs() -> None:
    now = timezone.now()
    about = {"kind": "user", "item_type": "user", "site": "s", "account": 1, "stream": "x", "is_draft": True}
    for age, finished in ((99, True), (99, False), (1, True), (1, False)):
        row = StreamRun.objects.create(**about)
        ended = now - timedelta(days=age)
        StreamRun.objects.filter(pk=row.pk).update(started_at=ended, finished_at=ended if finished else None)
    schedule.forget_old()
    assert StreamRun.objects.count() == 2


@pytest.mark.parametrize(
    ("section", "options", "said"),
    [
        ("user", "--limit=x", "--limit must be a whole number"),
        ("user", "--unknown", "unrecognized arguments: --unknown"),
        ("user", "--run-id=" + "1" * 32, "--run-id has no place in a schedule"),
        ("content", "--no-draft", "--content-type is missing"),
        ("product", "--product-type=article", "have no price"),
        ("user", '--draft "', "cannot be read"),
    ],
)
def test_doctor_says_what_cannot_run(section: str, options: str, said: str, plan: Any) -> None:
    plan(**{section: [("* * * * *", options)]})
    [finding] = [one for one in checks.exports() if not one.well]
    assert finding.text.startswith(f"ibexa_cdp.data_export.schedule.{section}[0]: ")
    assert said in finding.text


def test_doctor_finds_one_stream_for_two_types_and_a_failed_run(receiver: Receiver, plan: Any) -> None:
    plan(
        content=[
            ("* * * * *", "--content-type=article"),
            ("* * * * *", f"--content-type=place --stream-id={CONTENT}"),
        ]
    )
    receiver.answers = [(403, {})]
    run("stream_user_data", "--no-draft")
    shared, failed = (one.text for one in checks.exports())
    assert "content[1] sends place to the stream that article goes to" in shared
    assert "the last run of user data failed" in failed
    assert "refused with 403" in failed


def test_doctor_is_content_with_a_good_schedule(plan: Any) -> None:
    plan(user=[("*/15 * * * *", "--no-draft")], content=[("0 * * * *", "--content-type=article --no-draft")])
    assert list(checks.exports()) == []
    call_command("check")
