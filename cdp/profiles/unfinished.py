"""Erasures that came to a halt are carried on, however often their job failed."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from cdp.profiles import insights, subject, telling
from cdp.profiles.models import ErasureTicket, ProfileIdentifier, Suppression
from cdp.profiles.names import Named
from config.faults import Fault
from config.jobs.models import OPEN_STATES, Job
from config.jobs.schedule import periodic

logger = logging.getLogger("cdp")

STUCK = "erasure_stuck"
SECONDS = 600.0


@periodic("cdp.erasures", every=SECONDS)
def carry_on_all() -> int:
    """How many were not finished and nobody worked on."""
    open_jobs = Job.objects.filter(kind=subject.JOB, state__in=OPEN_STATES).values_list("key", flat=True)
    before = timezone.now() - timedelta(seconds=SECONDS)
    left = ErasureTicket.objects.filter(finished_at=None, asked_at__lt=before).select_related("account")
    waiting = set(open_jobs)
    found = [one for one in left.order_by("pk") if str(one.ticket) not in waiting]
    for ticket in found:
        carry_on(ticket)
    return len(found)


def carry_on(ticket: ErasureTicket) -> None:
    """Tell again who failed; or begin anew with the names that the profile has, for the job's are gone."""
    if ticket.erased_at is not None:
        try:
            telling.finish(ticket)
        except Fault as fault:
            logger.warning("%s", fault)
        return
    names = names_left(ticket)
    if names:
        subject.enqueue(ticket, names)
        return
    if not Suppression.objects.filter(ticket=ticket).exists():  # a newer one has taken its place
        ticket.erased_at = ticket.finished_at = timezone.now()
        ticket.save(update_fields=["erased_at", "finished_at"])
        insights.close(ticket.account, code=STUCK, subject=str(ticket.ticket))
        return
    insights.report(
        ticket.account,
        code=STUCK,
        subject=str(ticket.ticket),
        message=f"Erasure {ticket.ticket} failed too often, and what the person is called is not known here"
        " any more. Ask for it again by name: cdp_gdpr erase.",
    )


def names_left(ticket: ErasureTicket) -> list[Named]:
    asked = {(kind, digest) for kind, digest in ticket.identifiers}
    rows = ProfileIdentifier.objects.filter(
        account=ticket.account, digest__in={digest for _kind, digest in asked}
    )
    return [one for row in rows if (row.kind, row.digest) in asked for one in subject.in_clear(row)]
