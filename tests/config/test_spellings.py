"""Command names of older installations."""

from __future__ import annotations

from config.spellings import canonical_argv


def test_it_maps_the_colon_spelling_to_the_command() -> None:
    argv = ["manage.py", "ibexa:personalization:run-export", "--siteaccess=en"]
    assert canonical_argv(argv) == ["manage.py", "run_export", "--siteaccess=en"]


def test_it_drops_the_transport_of_messenger_consume() -> None:
    assert canonical_argv(["manage.py", "messenger:consume", "async", "--once"]) == [
        "manage.py",
        "work",
        "--once",
    ]


def test_it_leaves_other_commands_alone() -> None:
    assert canonical_argv(["manage.py", "migrate"]) == ["manage.py", "migrate"]
