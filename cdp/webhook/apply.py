"""Applying actions to the members of segments, in order and as sets."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from personalization.segments import changes


class Outcome(StrEnum):
    """What became of an action."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"  # the person is not known here
    SUPERSEDED = "superseded"  # a later action of the pair came first
    FAILED = "failed"


class Step(NamedTuple):
    """One action: the keys of a segment and of a user, None for who is not known here, and what to do."""

    segment: int
    user: int | None
    is_add: bool


def apply(steps: Sequence[Step]) -> list[Outcome]:
    """Apply all steps in their order within the caller's transaction; what became of each.

    Who is not known, or is gone by now, is skipped. An add of a member and a remove of nobody change nothing.
    """
    users = changes.users_of(step.user for step in steps if step.user is not None)
    before = changes.known_members({(step.segment, step.user) for step in steps if step.user in users})
    now = set(before)
    found = []
    for step in steps:
        if step.user is None or step.user not in users:
            found.append(Outcome.SKIPPED)
            continue
        pair = step.segment, step.user
        if (pair in now) == step.is_add:
            found.append(Outcome.UNCHANGED)
            continue
        found.append(Outcome.APPLIED)
        (now.add if step.is_add else now.discard)(pair)
    changes.add_members(now - before)
    changes.remove_members(before - now)
    return found
