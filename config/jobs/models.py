"""Work that must not be lost: a row before it is a message.

Source of the rules: reference `reliability-security-ecosystem.md` A3. States and their changes are in
:mod:`config.jobs.queue`; nothing else writes these tables.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")  # gave up for a reason that trying again cannot mend
    PARKED = "parked", _("Parked")  # out of attempts, waits for a person
    CANCELLED = "cancelled", _("Cancelled")


OPEN_STATES = (State.QUEUED, State.RUNNING)


class Work(models.Model):
    """What claiming needs; shared by jobs, their chunks and the outbox."""

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    run_after = models.DateTimeField(default=timezone.now)
    lease_owner = models.CharField(max_length=64, default="", blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Job(Work):
    """One piece of background work, run by the function registered for its kind."""

    kind = models.CharField(max_length=64)
    customer_id = models.CharField(max_length=64, default="", blank=True)
    payload = models.JSONField(default=dict)
    # While a job with this key is open no second one is made.
    key = models.CharField(max_length=255, default="", blank=True)
    progress = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    message = models.CharField(max_length=255, default="", blank=True)
    result = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["state", "run_after"], name="job_due"),
            models.Index(fields=["kind", "-id"], name="job_kind"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=Q(state="queued") & ~Q(key=""),
                name="one_queued_job_per_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk} ({self.state})"


class JobChunk(Work):
    """A part of a job that is done once, whatever happens to the job's process."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    payload = models.JSONField(default=dict)
    result = models.JSONField(default=dict)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_chunk_per_number")]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.number}"


class Outbox(Work):
    """One message for another system, delivered at least once; the newest per key wins."""

    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    customer_id = models.CharField(max_length=64, default="", blank=True)
    payload = models.JSONField(default=dict)
    # Rises with every replacement, so that a delivery under way notices that it is out of date.
    version = models.PositiveIntegerField(default=1)
    # When its newest news was stored: a message sent again by hand is not newer for that.
    said_at = models.DateTimeField(default=timezone.now)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["state", "run_after"], name="outbox_due"),
            models.Index(fields=["kind", "key"], name="outbox_key"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=Q(state="queued"),
                name="one_waiting_message_per_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} ({self.state})"


class Receiver(models.Model):
    """When the next call may go to one receiver of messages; :mod:`config.jobs.pace` keeps it."""

    name = models.CharField(max_length=128, primary_key=True)
    free_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Periodic(models.Model):
    """When a regular function is due, and which worker runs it now."""

    name = models.CharField(max_length=64, unique=True)
    due_at = models.DateTimeField(default=timezone.now)
    lease_owner = models.CharField(max_length=96, default="", blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_run = models.DateTimeField(null=True, blank=True)
    error = models.TextField(default="", blank=True)

    class Meta:
        verbose_name_plural = "periodic"

    def __str__(self) -> str:
        return self.name
