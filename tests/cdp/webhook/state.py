"""What tests look at and make happen."""

from __future__ import annotations

from cdp.webhook import queue
from config.jobs import queue as jobs
from personalization.segments.models import Membership


def members(audience: str) -> set[int]:
    return set(Membership.objects.filter(segment__audience=audience).values_list("user", flat=True))


def work() -> None:
    """As the worker does."""
    jobs.run_due(kinds=[queue.JOB])
