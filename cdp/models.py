"""Tables of the customer data platform."""

from __future__ import annotations

import uuid

from django.db import models


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
    """What an activation's changes pass through one after the other.

    Whoever changes members for an activation holds this row in its transaction, so that a request and the
    worker, or two workers, never apply changes of one activation side by side.
    """

    client_id = models.CharField(max_length=255, primary_key=True)
    passed = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return self.client_id


class BulkBatch(models.Model):
    """A request whose actions wait for the worker; counts are what became of them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    client_id = models.CharField(max_length=255)
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
    """One action of a batch. Its number is its place in the order of all actions of the activation."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        APPLIED = "applied", "Applied"
        UNCHANGED = "unchanged", "Unchanged"
        SKIPPED = "skipped", "Skipped"  # the person is not known here
        SUPERSEDED = "superseded", "Superseded"  # a newer action of the pair was applied first
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
            models.Index(
                fields=["client_id", "id"], condition=models.Q(status="queued"), name="bulk_waiting"
            ),
            models.Index(fields=["batch", "status"], name="bulk_of_batch"),
            models.Index(fields=["client_id", "segment", "user"], name="bulk_pair"),
            models.Index(fields=["status", "created_at"], name="bulk_status"),
        ]

    def __str__(self) -> str:
        return f"{'add' if self.is_add else 'remove'} in {self.segment} ({self.status})"
