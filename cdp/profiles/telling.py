"""The end of an erasure: the parts above hear of it, and nothing of it is lost on the way.

A part that fails keeps no other from hearing. It is told again, with the others, until none fails; hence all
of them can be told twice.
"""

from __future__ import annotations

import logging

from django.utils import timezone

from cdp.profiles import insights, signals
from cdp.profiles.models import ErasureTicket, Profile, Suppression
from cdp.profiles.names import Key
from config.faults import Fault

logger = logging.getLogger("cdp")

NOT_TOLD = "erasure_not_told"


class NotTold(Fault):
    """A part above failed when it was told; the message says of which erasure."""


def begin(ticket: ErasureTicket) -> None:
    """Nothing is left here of who was erased: tell the others. Raises :class:`NotTold`."""
    ticket.erased_at = timezone.now()
    ticket.save(update_fields=["erased_at"])
    finish(ticket)


def finish(ticket: ErasureTicket) -> None:
    """Tell all parts, and close the ticket once each has heard. Raises :class:`NotTold`.

    A part may answer with counts for the receipt, by place.
    """
    failed = []
    for receiver, outcome in signals.erased.send_robust(
        sender=Profile, account=ticket.account_id, identifiers=keys_of(ticket)
    ):
        if isinstance(outcome, Exception):
            failed.append(getattr(receiver, "__module__", "a receiver"))
            logger.error("erasure %s: %s failed", ticket.ticket, failed[-1], exc_info=outcome)
        elif isinstance(outcome, dict):
            for place, count in outcome.items():
                ticket.counts[place] = max(count, ticket.counts.get(place, 0))
    ticket.finished_at = None if failed else timezone.now()
    ticket.save(update_fields=["counts", "finished_at"])
    settle(ticket, failed)


def settle(ticket: ErasureTicket, failed: list[str]) -> None:
    subject = str(ticket.ticket)
    if not failed:
        insights.close(ticket.account, code=NOT_TOLD, subject=subject)
        return
    message = (
        f"Erasure {subject} is done here, but these parts failed when they were told of it:"
        f" {', '.join(failed)}. They are told again every ten minutes; the log of the worker says why."
    )
    insights.report(ticket.account, code=NOT_TOLD, subject=subject, message=message)
    raise NotTold(message)


def keys_of(ticket: ErasureTicket) -> list[Key]:
    """All names of who was erased; those that were asked for again stand with the newer ticket."""
    own = [(kind, digest) for kind, digest in ticket.identifiers]
    own += Suppression.objects.filter(ticket=ticket).order_by("pk").values_list("kind", "digest")
    return list(dict.fromkeys(own))
