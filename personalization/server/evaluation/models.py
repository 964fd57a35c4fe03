"""The table of reports; the app's models module imports it."""

from __future__ import annotations

from django.db import models


class Evaluation(models.Model):
    """How good lists for a customer's people were at some time; :mod:`server.evaluation.reports` makes it."""

    customer_id = models.CharField(max_length=64)
    signal = models.CharField(max_length=32)  # the event code that was learnt and looked for
    days = models.FloatField()
    later = models.FloatField()  # share of what was held back
    places = models.PositiveSmallIntegerField()  # of a list
    tuned = models.BooleanField(default=True)  # whether settings were chosen first
    # What evaluation.run.Report says: data, settings, figures, baselines, cost.
    report = models.JSONField(default=dict)
    # The events that were learnt lie from begins_at to cut_at, those that were looked for up to ends_at.
    begins_at = models.DateTimeField()
    cut_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["customer_id", "-id"], name="evaluation_newest")]

    def __str__(self) -> str:
        return f"{self.signal} of {self.customer_id} at {self.created_at:%Y-%m-%d %H:%M}"
