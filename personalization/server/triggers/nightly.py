"""Every night: for each trigger find the occasions and write the messages."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.customers import directory
from config.jobs import outbox, queue, schedule
from config.jobs.models import Job, State
from personalization.server import building, plans, sealing
from personalization.server.learning.events import History
from personalization.server.triggers import messages, occasions, recipients
from personalization.server.triggers.models import MESSAGE_KIND, Trigger, TriggerMessage
from personalization.server.triggers.occasions import Occasion
from tracking import identity

logger = logging.getLogger("personalization")

JOB = "engine.triggers"
HOUR = 2  # of the night, in LODESTAR_TIME_ZONE
LOOK_SECONDS = 600.0
SLACK = timedelta(hours=1)


def evaluate(customer_id: str, *, only_due: bool = False) -> dict[str, int]:
    """Write what is due by every trigger of a customer; messages by trigger. Safe to run twice.

    ``only_due``: leave out what was evaluated today.
    """
    today = timezone.localdate()
    found = Trigger.objects.filter(customer_id=customer_id).order_by("pk")
    triggers = list(found.exclude(evaluated_on=today) if only_due else found)
    addressed = recipients.by_form(customer_id)
    counts = {one.name: 0 for one in triggers}
    if triggers and addressed:
        try:
            with building.history_of(
                customer_id, codes=occasions.CODES, window_days=occasions.WINDOW_DAYS
            ) as history:
                occasions.address(history, addressed)
                for trigger in triggers:
                    counts[trigger.name] = of_trigger(trigger, history, addressed)
                    # Each by itself: what a crash interrupts goes on with the others.
                    Trigger.objects.filter(pk=trigger.pk).update(evaluated_on=today)
        except building.NoEvents:
            pass  # nobody did anything yet
    Trigger.objects.filter(pk__in=[one.pk for one in triggers]).update(evaluated_on=today)
    return counts


def of_trigger(trigger: Trigger, history: History, addressed: dict[str, str]) -> int:
    now, delay = time.time_ns() // 1000, int(trigger.delay_hours * occasions.HOUR)
    found = occasions.FINDERS[trigger.kind](history, now=now, delay=delay)
    account = directory.find(trigger.customer_id)
    alphanumeric = account is not None and account.alphanumeric_items
    try:
        return sum(write(trigger, one, addressed[one.user], alphanumeric=alphanumeric) for one in found)
    except plans.UnknownScenario as fault:
        logger.error("The trigger %s cannot be evaluated: %s", trigger, fault)
        return 0


def write(trigger: Trigger, occasion: Occasion, raw_user: str, *, alphanumeric: bool) -> bool:
    """Store one message for delivery, unless enough was said or there is nothing to say."""
    is_drop = trigger.kind == Trigger.Kind.PRICE_DROP
    about = messages.cheaper(trigger, raw_user, occasion) if is_drop else occasion.items
    if not about:
        return False
    occasion_id = messages.occasion_id(trigger, occasion, about)
    nth = turn(trigger, raw_user, occasion_id)
    if not nth:
        return False
    document = messages.written(trigger, raw_user, about, alphanumeric=alphanumeric)
    if not document["recommendations"]:
        return False
    try:
        with transaction.atomic():
            if not recipients.is_known(trigger.customer_id, raw_user):
                return False  # erased while this ran
            user = identity.pseudonym(trigger.customer_id, raw_user)
            row = TriggerMessage.objects.create(trigger=trigger, user=user, occasion=occasion_id, nth=nth)
            outbox.put(
                MESSAGE_KIND,
                key=str(row.pk),
                # It names a person: rule 5 of the architecture.
                payload={"trigger": trigger.pk, "sealed": sealing.seal(document)},
                customer_id=trigger.customer_id,
            )
    except IntegrityError:  # another worker wrote it
        return False
    return True


def turn(trigger: Trigger, raw_user: str, occasion: str) -> int:
    """The number of the message that may be written now, 0 where none may."""
    forms = identity.pseudonyms(trigger.customer_id, raw_user)
    said = TriggerMessage.objects.filter(trigger=trigger, user__in=forms)
    # Nights do not begin at the same second: a day is over a little earlier.
    since = timezone.now() - max(timedelta(days=trigger.frequency_days) - SLACK, timedelta(0))
    if said.filter(written_at__gt=since).exists():
        return 0
    count = said.filter(occasion=occasion).count()
    return count + 1 if count < trigger.repetitions else 0


@queue.job(JOB)
def run(job: queue.Run) -> dict[str, Any]:
    return evaluate(job.payload["customer"], only_due=True)


@schedule.periodic("engine.triggers", every=LOOK_SECONDS)
def every_night() -> None:
    """Queue the evaluation of each customer whose night it is; a night that was missed is made up."""
    now = timezone.localtime()
    if now.hour < HOUR:
        return
    due = Trigger.objects.exclude(evaluated_on=now.date())
    running = Job.objects.filter(kind=JOB, state=State.RUNNING).values_list("customer_id", flat=True)
    for customer_id in due.exclude(customer_id__in=running).values_list("customer_id", flat=True).distinct():
        queue.enqueue(JOB, {"customer": customer_id}, key=customer_id, customer_id=customer_id)
