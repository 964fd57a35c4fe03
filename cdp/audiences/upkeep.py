"""What is kept of calculations and of who joined and left (``docs/audiences.md``)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from cdp.audiences.models import Audience, AudienceRun, MembershipChange
from config.jobs.history import delete
from config.jobs.schedule import periodic

NEWEST_RUNS = 100  # of an audience stay, however old
RUNS_KEPT = timedelta(days=90)
CHANGES_KEPT = timedelta(days=761)  # 25 months


@periodic("cdp.audience_history", every=3600.0)
def forget_old() -> None:
    now = timezone.now()
    for audience in Audience.objects.order_by("pk"):
        newest = list(audience.runs.order_by("-pk").values_list("pk", flat=True)[:NEWEST_RUNS])
        if len(newest) == NEWEST_RUNS:
            older = AudienceRun.objects.filter(audience=audience, pk__lt=newest[-1])
            delete(older.filter(started_at__lt=now - RUNS_KEPT))
    delete(MembershipChange.objects.filter(at__lt=now - CHANGES_KEPT))
