"""A group with one segment, and a group that a platform fills."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from personalization.segments import changes, locks
from personalization.segments.models import Segment, SegmentGroup


@pytest.fixture
def group() -> SegmentGroup:
    return changes.create_group(identifier="audiences", name="Audiences")


@pytest.fixture
def cats(group: SegmentGroup) -> Segment:
    return changes.create_segment(group, identifier="cat_owners", name="Cat owners")


@pytest.fixture
def mabel() -> User:
    return User.objects.create_user("mabel", password="pw")


@pytest.fixture
def locked(cats: Segment) -> Iterator[None]:
    def holder() -> list[str]:
        return [cats.group.identifier]

    locks.register(holder)
    yield
    locks._holders.remove(holder)
