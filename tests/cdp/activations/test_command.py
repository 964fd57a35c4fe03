"""``cdp_deliver``, and a delivery whose process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cdp.activations import changes, upkeep
from cdp.activations.models import Activation, DeliveryRun
from cdp.profiles.models import Account
from config.checks import Finding
from tests.cdp.activations import made
from tests.cdp.activations.receivers import Receiver, receiver
from tests.flows.installation import ROOT, Installation

PEOPLE = 2_100
PREPARE = """
from django.db import transaction
from tests.cdp.activations import made
with transaction.atomic():
    account = made.account()
    people = [made.person(account, userid=n) for n in range({people})]
    made.site(made.audience(account, "cats", *people), url="{url}")
"""


def run(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("cdp_deliver", *arguments, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(ended.code or 0)
    return out.getvalue(), 0


@pytest.mark.django_db
def test_it_delivers_what_is_due(account: Account, far: Receiver) -> None:
    people = [made.person(account, userid=1), made.person(account, email="a@example.org")]
    cats = made.audience(account, "cats", *people)
    activation = made.site(cats, url=far.url)
    assert run() == ("0 activations.\n", 0)
    made.calculate(cats, people)
    told, code = run("--due")
    assert code == 0
    assert f"{activation.public_id} Site: Done, 1 added, 0 removed, 0 unknown to the receiver" in told
    assert "1 without userid, 1 requests.\n" in told
    assert run("--activation", activation.public_id)[0].count("0 added") == 1
    assert run("--all")[1] == 0


@pytest.mark.django_db
def test_it_ends_with_1_when_a_receiver_refuses(account: Account, far: Receiver) -> None:
    activation = made.site(made.audience(account, "cats", made.person(account, userid=1)), url=far.url)
    far.faults.append(422)
    told, code = run("--all")
    assert code == 1
    assert "Failed" in told
    assert "The group is gone." in told
    with pytest.raises(CommandError, match="state error: The receiver does not take the request") as wrong:
        run("--activation", activation.public_id)
    assert wrong.value.returncode == 2
    findings: list[Finding] = list(upkeep.stopped())
    assert "it has stopped" in str(findings[0])


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["act_99", "", "x", "9" * 50, "١"])
def test_it_names_what_it_does_not_know(account: Account, text: str) -> None:
    if text:
        with pytest.raises(CommandError, match="There is no activation"):
            run("--activation", text)


@pytest.mark.django_db
def test_it_says_that_nothing_is_sent_to_an_api(account: Account) -> None:
    audience = made.audience(account, "cats")
    activation, _ = changes.create(
        account, name="API", kind="cdp_api", person_identifier="coid", audiences=[audience]
    )
    with pytest.raises(CommandError, match="callers ask for the members"):
        run("--activation", activation.public_id)
    assert run("--all") == ("0 activations.\n", 0)


@pytest.mark.django_db
def test_it_leaves_a_delivery_to_the_worker_that_has_it(account: Account, far: Receiver) -> None:
    activation = made.site(made.audience(account, "cats", made.person(account, userid=1)), url=far.url)
    until = timezone.now() + timedelta(minutes=1)
    Activation.objects.update(lease_owner="another", lease_until=until)
    told, code = run("--activation", activation.public_id)
    assert (code, "a worker delivers it already" in told) == (4, True)


@pytest.mark.django_db
def test_it_forgets_old_runs(account: Account, far: Receiver) -> None:
    activation = made.site(made.audience(account, "cats"), url=far.url)
    for days in (1, 400):
        DeliveryRun.objects.create(activation=activation, finished_at=timezone.now() - timedelta(days=days))
    upkeep.forget_old()
    assert DeliveryRun.objects.count() == 1


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_it_goes_on_where_a_killed_process_stopped(tmp_path: Path) -> None:
    """Killed in the middle of the second of three requests, which the receiver has taken already."""
    with receiver() as far:
        installation = Installation(
            var_dir=tmp_path / "var",
            extra_env={"LODESTAR_OUTBOUND_ALLOW": f"127.0.0.1:{far.port}"},
        )
        installation.migrate()
        installation.python(PREPARE.format(people=PEOPLE, url=far.url))
        kill_at_second_request(installation, far)
        taken = len(far.members)
        assert taken == 2_000
        # What a killed worker held is free a minute later.
        free = "from cdp.activations.models import Activation\nActivation.objects.update(lease_until=None)"
        installation.python(free)
        told = installation.manage("cdp_deliver", "--due")
        assert "Done" in told
        assert len(far.members) == PEOPLE
        assert set(far.adds.values()) == {1}
        ids = [one["request_id"] for one in far.bodies]
        assert (len(ids), len(set(ids))) == (4, 3)
        assert "0 added" in installation.manage("cdp_deliver", "--all")
        assert len(far.bodies) == 4


def kill_at_second_request(installation: Installation, far: Receiver) -> None:
    started = threading.Event()
    process: list[subprocess.Popen[bytes]] = []

    def kill(_document: Any) -> None:
        started.wait(60)
        os.kill(process[0].pid, signal.SIGKILL)

    far.faults.extend([None, kill])
    process.append(
        subprocess.Popen(
            [sys.executable, "manage.py", "cdp_deliver", "--all"], cwd=ROOT, env=installation.env()
        )
    )
    started.set()
    assert process[0].wait(120) == -signal.SIGKILL
