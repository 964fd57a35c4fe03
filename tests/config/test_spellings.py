"""Command names of older installations."""

from __future__ import annotations

import subprocess
import sys

import pytest

from config.spellings import canonical_argv
from tests.config.test_serve import ROOT
from tests.environ import of_its_own


def test_it_maps_the_colon_spelling_to_the_command() -> None:
    argv = ["manage.py", "ibexa:personalization:run-export", "--siteaccess=en"]
    assert canonical_argv(argv) == ["manage.py", "run_export", "--siteaccess=en"]


def test_it_drops_the_transport_of_messenger_consume() -> None:
    assert canonical_argv(["manage.py", "messenger:consume", "async", "--once"]) == [
        "manage.py",
        "work",
        "--once",
    ]


def test_it_keeps_the_options_of_messenger_consume_with_their_values() -> None:
    asked = [
        "messenger:consume",
        "ibexa.messenger.transport",
        "--bus=ibexa.messenger.bus",
        "--limit",
        "10",
        "b",
    ]
    assert canonical_argv(["manage.py", *asked]) == [
        "manage.py",
        "work",
        "--bus=ibexa.messenger.bus",
        "--limit",
        "10",
    ]


def test_messenger_consume_runs_the_worker_for_its_time() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "messenger:consume",
            "ibexa.messenger.transport",
            "--bus=ibexa.messenger.bus",
            "--time-limit=0.1",
        ],
        env=of_its_own(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "The worker is running." in done.stdout


def test_it_leaves_other_commands_alone() -> None:
    assert canonical_argv(["manage.py", "migrate"]) == ["manage.py", "migrate"]


@pytest.mark.parametrize(
    ("command", "said"), [("run_exprot", "Did you mean run_export?"), ("zzz", "`manage.py help` lists")]
)
def test_it_calls_a_mistyped_command_wrong_use(command: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        env=of_its_own(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"There is no command {command!r}." in done.stderr
    assert said in done.stderr
