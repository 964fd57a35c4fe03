"""What was told and waits for the worker; in the events database, so that no visitor holds up an editor."""

from __future__ import annotations

from django.db import models


class Message(models.Model):
    """One event, or another call, as it was accepted; see :mod:`cdp.tracking.message` for what is in it.

    Who it is about stands in it in clear, hence the body is sealed. The row goes once it is delivered.
    """

    account = models.PositiveIntegerField()  # the number
    customer_id = models.CharField(max_length=64, default="", blank=True)  # "": the account has none
    received = models.BigIntegerField()  # microseconds since 1970 in UTC
    body = models.TextField()
    refused = models.CharField(max_length=255, default="", blank=True)  # why it can never be delivered

    class Meta:
        indexes = [models.Index(fields=["id"], condition=models.Q(refused=""), name="cdp_message_waiting")]

    def __str__(self) -> str:
        return f"message {self.pk} of account {self.account}"


class Tally(models.Model):
    """How many events of a day (UTC) were stored, and how many were not and why."""

    class What(models.TextChoices):
        STORED = "stored", "Stored"
        ROBOT = "robot", "From robots"
        WITHHELD = "withheld", "Without consent"
        LIMITED = "limited", "Over a visitor's limit"

    account = models.PositiveIntegerField()
    day = models.DateField()
    what = models.CharField(max_length=10, choices=What.choices)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "day", "what"], name="cdp_tally_once")]

    def __str__(self) -> str:
        return f"{self.count} {self.what} of account {self.account}"
