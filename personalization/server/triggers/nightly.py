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
from personalization.server import building, plans, sealing
from personalization.server.learning.events import History
from personalization.server.triggers import messages, occasions, recipients
from personalization.server.triggers.models import MESSAGE_KIND, Trigger, TriggerMessage
from personalization.server.triggers.occasions import Occasion

logger = logging.getLogger("personalization")

JOB = "engine.triggers"
HOUR = 2  # of the night, in LODESTAR_TIME_ZONE
LOOK_SECONDS = 600.0


def evaluate(customer_id: str) -> dict[str, int]:
    """Write what is due by every trigger of a customer; messages by trigger. Safe to run twice."""
    triggers = list(Trigger.objects.filter(customer_id=customer_id).order_by("pk"))
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
        except building.NoEvents:
            pass  # nobody did anything yet
    Trigger.objects.filter(pk__in=[one.pk for one in triggers]).update(evaluated_on=timezone.localdate())
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
    nth = turn(trigger, occasion.user, messages.occasion_id(trigger, occasion, about)) if about else 0
    if not nth:
        return False
    document = messages.written(trigger, raw_user, about, alphanumeric=alphanumeric)
    if not document["recommendations"]:
        return False
    occasion_id = messages.occasion_id(trigger, occasion, about)
    try:
        with transaction.atomic():
            row = TriggerMessage.objects.create(
                trigger=trigger, user=occasion.user, occasion=occasion_id, nth=nth
            )
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


def turn(trigger: Trigger, user: str, occasion: str) -> int:
    """The number of the message that may be written now, 0 where none may."""
    said = TriggerMessage.objects.filter(trigger=trigger, user=user)
    since = timezone.now() - timedelta(days=trigger.frequency_days)
    if said.filter(written_at__gt=since).exists():
        return 0
    count = said.filter(occasion=occasion).count()
    return count + 1 if count < trigger.repetitions else 0


@queue.job(JOB)
def run(job: queue.Run) -> dict[str, Any]:
    return evaluate(job.payload["customer"])


@schedule.periodic("engine.triggers", every=LOOK_SECONDS)
def every_night() -> None:
    """Queue the evaluation of each customer whose night it is; a night that was missed is made up."""
    now = timezone.localtime()
    if now.hour < HOUR:
        return
    due = Trigger.objects.exclude(evaluated_on=now.date())
    for customer_id in due.values_list("customer_id", flat=True).distinct():
        queue.enqueue(JOB, {"customer": customer_id}, key=customer_id, customer_id=customer_id)
