"""Activations: where audiences are sent, and what was sent (reference `cdp.md` 4.1-4.3).

The ledger holds who was told to the receiver of an activation. Each delivery is the difference of the members
and the ledger, so whatever went wrong before heals by itself.
"""

from __future__ import annotations

import uuid
from typing import Literal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from cdp.audiences.models import Audience
from cdp.profiles.models import Account

ID_PREFIX, AUDIENCE_PREFIX = "act_", "aud_"
Op = Literal["add", "remove"]


class Activation(models.Model):
    """A receiver of audiences. ``config`` is the document of its target (:mod:`cdp.activations.targets`)."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        ERROR = "error", _("Error")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="activations")
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=500, default="", blank=True)
    kind = models.CharField(_("kind"), max_length=20)  # of a target
    person_identifier = models.CharField(_("person identifier"), max_length=64)
    config = models.JSONField(_("settings"), default=dict)
    secret = models.TextField(default="", blank=True)  # sealed
    # Valid beside it while receivers or callers change to the new one; sealed.
    previous_secret = models.TextField(default="", blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    # Only people who granted this purpose are sent; "" asks nobody.
    purpose = models.CharField(_("purpose"), max_length=32, default="", blank=True)
    state = models.CharField(_("state"), max_length=6, choices=State.choices, default=State.ACTIVE)
    reason = models.CharField(_("reason"), max_length=500, default="", blank=True)  # of an error
    sequence = models.PositiveBigIntegerField(default=0)  # of its last request; 0 before the first
    # Of what is being sent: failed tries in a row, and when the next one comes.
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    # It is deleted as soon as its receiver has taken everybody out.
    ending_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=96, default="", blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("activation")
        verbose_name_plural = _("activations")
        constraints = [
            models.UniqueConstraint("account", Lower("name"), name="activation_name_once"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(kind="cdp_api", state="active"), name="one_active_cdp_api"
            ),
            models.CheckConstraint(
                condition=Q(state="error") & ~Q(reason="") | Q(state__in=["active", "paused"], reason=""),
                name="activation_state_with_reason",
            ),
            models.CheckConstraint(condition=~Q(person_identifier=""), name="activation_of_people"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """By which receivers and callers know it."""
        return f"{ID_PREFIX}{self.pk}"


class ActivationAudience(models.Model):
    """An audience of an activation, and how far its members were delivered."""

    activation = models.ForeignKey(Activation, on_delete=models.CASCADE, related_name="attachments")
    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="attachments")
    sequence = models.PositiveBigIntegerField(default=0)  # the calculation that was delivered
    # Deliveries that somebody asked for without a calculation, and how many of these were answered.
    asked = models.PositiveBigIntegerField(default=0)
    answered = models.PositiveBigIntegerField(default=0)
    told = models.CharField(max_length=64, default="", blank=True)  # SHA-256 of what was said of the audience
    removed_at = models.DateTimeField(null=True, blank=True)  # its members are being taken out
    unidentified = models.PositiveBigIntegerField(default=0)  # members without a name of the kind
    # What the last delivery changed of it; ``last_run`` is its number, 0 before the first.
    last_run = models.PositiveBigIntegerField(default=0)
    last_added = models.PositiveBigIntegerField(default=0)
    last_removed = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["activation", "audience"], name="audience_once_in_activation"),
            models.CheckConstraint(condition=Q(answered__lte=F("asked")), name="answered_what_was_asked"),
        ]

    def __str__(self) -> str:
        return f"{self.audience_id} in {self.activation_id}"


class LedgerEntry(models.Model):
    """Somebody whom the receiver of an activation has in an audience, by one name.

    The name is sealed here too: it has to be said once more when the person leaves, who may be gone by then.
    """

    activation = models.ForeignKey(
        Activation, on_delete=models.CASCADE, related_name="ledger", db_index=False
    )
    # Nobody deletes an audience whose members somebody else still has.
    audience = models.ForeignKey(Audience, on_delete=models.RESTRICT, related_name="+")
    digest = models.CharField(max_length=64)
    sealed = models.TextField()
    sequence = models.PositiveBigIntegerField()  # of the request that said so
    delivered_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "ledger"
        constraints = [
            models.UniqueConstraint(fields=["activation", "audience", "digest"], name="delivered_once")
        ]

    def __str__(self) -> str:
        return f"{self.digest[:8]} in {self.audience_id} of {self.activation_id}"


class Parcel(models.Model):
    """The one request of an activation that is under way, stored before it is sent.

    A receiver may have taken it although no answer came. So the same request is sent until an answer is in
    hand; only then the ledger changes, in the transaction that deletes this row. Were a new difference taken
    instead, somebody who left meanwhile would stay at the receiver for good.
    """

    activation = models.OneToOneField(Activation, on_delete=models.CASCADE, related_name="parcel")
    request_id = models.UUIDField(default=uuid.uuid4)
    sequence = models.PositiveBigIntegerField()
    audiences = models.JSONField()  # what is said of them: documents of targets.base.about()
    actions = models.JSONField()  # [op, key of the audience, digest, sealed name] of each
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"request {self.sequence} of {self.activation_id}"


class DeliveryRun(models.Model):
    """A delivery and what came of it."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        LATER = "later", _("Tried again later")
        STOPPED = "stopped", _("Stopped")  # paused, edited or killed on the way
        FAILED = "failed", _("Failed")

    activation = models.ForeignKey(Activation, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=7, choices=State.choices, default=State.RUNNING)
    requests = models.PositiveIntegerField(default=0)
    added = models.PositiveBigIntegerField(default=0)
    removed = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0)  # whom the receiver does not know
    unidentified = models.PositiveBigIntegerField(default=0)
    error = models.CharField(max_length=500, default="", blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["activation", "-started_at"], name="delivery_newest_runs")]

    def __str__(self) -> str:
        return f"delivery {self.pk} of {self.activation_id} ({self.state})"


class SentRequest(models.Model):
    """A request that went to a receiver and what it answered, for whoever looks. It names nobody, and holds
    no secret: what is sent again is the :class:`Parcel` of the same id."""

    class State(models.TextChoices):
        DELIVERED = "delivered", _("Delivered")
        LATER = "later", _("Tried again later")
        FAILED = "failed", _("Failed")

    activation = models.ForeignKey(Activation, on_delete=models.CASCADE, related_name="requests")
    request_id = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    address = models.CharField(max_length=500, default="", blank=True)  # without what follows a "?"
    audiences = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    removed = models.PositiveIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    # Of the last try.
    state = models.CharField(max_length=9, choices=State.choices)
    status = models.PositiveSmallIntegerField(null=True, blank=True)  # None: there was no answer
    answer = models.CharField(max_length=500, default="", blank=True)
    milliseconds = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["activation", "request_id"], name="sent_once_in_log")]

    def __str__(self) -> str:
        return f"{self.request_id} of {self.activation_id} ({self.state})"

    @property
    def actions(self) -> int:
        return self.added + self.removed
