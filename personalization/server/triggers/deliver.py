"""Posting a message to the address of its trigger."""

from __future__ import annotations

import orjson

from config import http
from config.jobs import outbox
from config.jobs.models import Outbox
from config.jobs.queue import GiveUp
from personalization.server import sealing
from personalization.server.triggers import definitions
from personalization.server.triggers.models import MESSAGE_KIND, Trigger, TriggerMessage

SECONDS = 30.0
# The receiver will say the same of the same message tomorrow.
FINAL = {400, 401, 403, 404, 405, 410, 413, 415, 422}


@outbox.delivery(MESSAGE_KIND)
def deliver(message: Outbox) -> int:
    """``POST`` the JSON document; returns the status of the receiver."""
    trigger = Trigger.objects.filter(pk=message.payload["trigger"]).first()
    if trigger is None or not TriggerMessage.objects.filter(pk=int(message.key)).exists():
        raise GiveUp("The trigger of this message was removed, or the person erased.")
    try:
        document = sealing.unseal(message.payload["sealed"])
        access = definitions.access_of(trigger)
    except sealing.Unsealable as fault:
        raise GiveUp(str(fault)) from None
    client = http.SafeClient(purpose="trigger", budget=SECONDS)
    try:
        answer = client.request(
            "POST",
            trigger.endpoint,
            headers={"Content-Type": "application/json"},
            content=orjson.dumps(document),
            **access,
        )
    except http.Refused as fault:
        raise GiveUp(f"The endpoint of the trigger {trigger.name} was not called: {fault}") from fault
    except http.OutgoingError as fault:
        raise outbox.RetryLater(reason=f"The endpoint of the trigger {trigger.name}: {fault}") from fault
    if 200 <= answer.status < 300:
        return answer.status
    sentence = f"The endpoint of the trigger {trigger.name} answered {answer.status}."
    if answer.status in FINAL:
        raise GiveUp(sentence)
    raise outbox.RetryLater(reason=sentence, status=answer.status)
