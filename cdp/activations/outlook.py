"""What becomes of an activation next, in a sentence: for screens."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.timesince import timeuntil
from django.utils.translation import gettext, ngettext

from cdp.activations import deliver
from cdp.activations.models import Activation, Parcel
from cdp.activations.targets import find

State = Activation.State


class Outlook(NamedTuple):
    """``tone``: of Wagtail's help blocks, ``info``, ``warning`` or ``critical``; ``waits``: for a worker."""

    tone: str
    words: str
    waits: bool = False


def outlook(activation: Activation) -> Outlook:
    target = find(activation.kind)
    if target is None:
        return Outlook("critical", gettext("The code that sends to this kind of receiver is not installed."))
    if not target.delivers:
        return passive(activation)
    if activation.state == State.ERROR:
        return Outlook("critical", stopped(activation))
    if activation.state == State.PAUSED:
        return Outlook(
            "warning", gettext("Paused: nothing is sent. Who was delivered stays at the receiver.")
        )
    return active(activation)


def passive(activation: Activation) -> Outlook:
    if activation.state == State.ACTIVE:
        return Outlook("info", gettext("Nothing is sent: callers ask the membership API with its key."))
    return Outlook("warning", gettext("Paused: its key is not accepted."))


def stopped(activation: Activation) -> str:
    words = gettext("Stopped: %(reason)s Nothing is sent until you mend it and press Resume.")
    return words % {"reason": activation.reason}


def active(activation: Activation) -> Outlook:
    now = timezone.now()
    if activation.lease_until and activation.lease_until > now:
        return Outlook("info", gettext("A delivery is under way."))
    if activation.retry_at and activation.retry_at > now:
        return Outlook("warning", failing(activation, activation.retry_at, now=now))
    if not deliver.is_due(activation):
        if activation.runs.filter(state="done").exists():
            return Outlook("info", gettext("Everything is delivered."))
        words = gettext("Nothing was sent yet: it begins with the next calculation, or with Send now.")
        return Outlook("info", words)
    if activation.ending_at:
        words = gettext("It is being deleted: everybody is taken out at the receiver first.")
        return Outlook("warning", words, waits=True)
    return Outlook("info", gettext("Something is different and waits for a worker to send it."), waits=True)


def failing(activation: Activation, retry_at: datetime, *, now: datetime) -> str:
    """``2 tries failed: ... It is tried again in 4 minutes.``"""
    last = activation.runs.filter(state="later").order_by("-pk").values_list("error", flat=True).first()
    waiting = Parcel.objects.filter(activation=activation).first()
    tries = ngettext("%(count)d try failed", "%(count)d tries failed", activation.attempts) % {
        "count": activation.attempts
    }
    if waiting is not None:
        size = len(waiting.actions)
        words = ngettext(
            "A request with %(size)d action waits; %(tries)s: %(reason)s It is tried again in %(time)s.",
            "A request with %(size)d actions waits; %(tries)s: %(reason)s It is tried again in %(time)s.",
            size,
        )
    else:
        size = 0
        words = gettext("%(tries)s: %(reason)s It is tried again in %(time)s.")
    return words % {"size": size, "tries": tries, "reason": last or "", "time": in_words(retry_at, now=now)}


def in_words(moment: datetime, *, now: datetime) -> str:
    """``4 minutes``, by the nearest unit."""
    if (moment - now).total_seconds() < 60:
        return gettext("less than a minute")
    return timeuntil(moment, now, depth=1).replace("\xa0", " ")
