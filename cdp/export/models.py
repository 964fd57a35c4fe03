"""What was sent, and what the clock has started."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class StreamRun(models.Model):
    """One run of a stream: how far it is, so that it can go on after a crash, and how it ended."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=16)  # user, product, content
    item_type = models.CharField(max_length=64)
    site = models.CharField(max_length=255)
    account = models.PositiveIntegerField()
    stream = models.CharField(max_length=64)  # fingerprint of the stream id, which is a secret
    is_draft = models.BooleanField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    # Accepted so far; the next chunk has the number ``chunks``.
    chunks = models.PositiveIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0)
    # Key of the object whose rows went last, a colon, and how many of its rows went.
    position = models.CharField(max_length=128, default="", blank=True)
    # The receiver has its last chunk: nothing more may follow, also where the run died before it was done.
    is_final = models.BooleanField(default=False)
    error = models.TextField(default="", blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "-started_at"], name="stream_run_newest"),
            models.Index(fields=["finished_at"], name="stream_run_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"


class ScheduledRun(models.Model):
    """When an entry of the schedule was last started. Its options hold a stream id and are not kept."""

    key = models.CharField(max_length=64, primary_key=True)  # hash of section and options
    # The minute on the wall, 2026-10-25T02:15: what was started in an hour is not when it comes again.
    started = models.CharField(max_length=16)
    job = models.BigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.key} {self.started}"
