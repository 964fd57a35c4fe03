"""Tables of the customer data platform."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class WebhookRequest(models.Model):
    """One request of an activation, by whose id a repetition gets the same answer."""

    client_id = models.CharField(max_length=255)
    request_id = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)  # of the body
    actions = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client_id", "request_id"], name="one_answer_per_request")
        ]
        indexes = [models.Index(fields=["received_at"], name="webhook_received")]

    def __str__(self) -> str:
        return f"{self.request_id} of {self.client_id}"


class Lane(models.Model):
    """What an activation's requests, and its changes, pass through one after the other.

    Whoever holds the row in its transaction is alone on its way. Requests pass by the first way in the order
    of their arrival; whoever changes members, a request or the worker, passes by the second. So rows are
    stored while the worker applies earlier ones.
    """

    class Way(models.TextChoices):
        ARRIVAL = "arrival", "Arrival"
        CHANGE = "change", "Change"

    client_id = models.CharField(max_length=255)
    way = models.CharField(max_length=7, choices=Way.choices)
    passed = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client_id", "way"], name="one_lane_per_way")]

    def __str__(self) -> str:
        return f"{self.way} for {self.client_id}"


class LastChange(models.Model):
    """The request that changed a user's place in a segment last, where requests say their order; of user -1
    (``order.FACTS``) the one that told of the segment last.

    A request that was overtaken on its way changes nothing of what a later one said.
    """

    client_id = models.CharField(max_length=255)
    segment = models.BigIntegerField()
    user = models.BigIntegerField()
    sequence = models.BigIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client_id", "segment", "user"], name="one_last_change")
        ]
        indexes = [models.Index(fields=["changed_at"], name="last_change_age")]

    def __str__(self) -> str:
        return f"{self.sequence} for {self.user} in {self.segment}"


class BulkBatch(models.Model):
    """A request whose actions wait for the worker; counts are what became of them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    client_id = models.CharField(max_length=255)
    sequence = models.BigIntegerField(null=True, blank=True)  # the request's place, where it says one
    total = models.PositiveIntegerField()
    applied = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["client_id", "-received_at"], name="batch_newest")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def state(self) -> str:
        """``queued``, ``running`` or ``finished`` (decisions, webhook)."""
        done = self.applied + self.unchanged + self.skipped + self.failed
        if done >= self.total:
            return "finished"
        return "running" if done else "queued"


class BulkItem(models.Model):
    """One action of a batch that waits, or that failed. What is settled is counted in the batch and gone.

    Its number is its place in the order of all actions of the activation.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        FAILED = "failed", "Failed"

    batch = models.ForeignKey(BulkBatch, on_delete=models.CASCADE, related_name="items")
    client_id = models.CharField(max_length=255)
    # Keys; both may be gone when the turn of the item comes. How the platform names the person is not kept.
    segment = models.BigIntegerField()
    user = models.BigIntegerField(null=True, blank=True)
    is_add = models.BooleanField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    available_at = models.DateTimeField()
    error = models.CharField(max_length=255, default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["client_id", "id"], condition=Q(status="queued"), name="bulk_waiting"),
            models.Index(
                fields=["client_id", "segment", "user"],
                condition=Q(status="queued"),
                name="bulk_waiting_pair",
            ),
            models.Index(
                fields=["client_id", "segment", "user"], condition=Q(attempts__gt=0), name="bulk_tried"
            ),
        ]

    def __str__(self) -> str:
        return f"{'add' if self.is_add else 'remove'} in {self.segment} ({self.status})"
