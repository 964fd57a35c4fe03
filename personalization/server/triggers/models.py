"""Tables of triggers; the app's models module imports them."""

from __future__ import annotations

from django.db import models


class Trigger(models.Model):
    """When to write to whom, and what to recommend; :mod:`server.triggers.definitions` makes it."""

    class Kind(models.TextChoices):
        """The codes of the message's ``triggerType``."""

        BASKET = "ABANDONED_SHOPPING_CART", "Abandoned basket"
        REACTIVATION = "REACTIVATION", "Reactivation"
        PRICE_DROP = "PRICE_DROP", "Price drop"
        POST_VISIT = "POST_VISIT", "Post visit"

    customer_id = models.CharField(max_length=64)
    name = models.SlugField(max_length=64)
    kind = models.CharField(max_length=32, choices=Kind.choices)
    endpoint = models.URLField(max_length=2048)
    access = models.TextField(default="", blank=True)  # sealed: login and password, or a bearer token
    scenario = models.CharField(max_length=64)
    output_types = models.JSONField(default=list, blank=True)  # empty: all of the scenario
    attributes = models.JSONField(default=list, blank=True)  # names of those that a message holds
    items = models.PositiveSmallIntegerField(default=10)
    delay_hours = models.FloatField()
    repetitions = models.PositiveSmallIntegerField(default=1)  # messages about one occasion
    frequency_days = models.FloatField(default=7.0)  # between two messages to one person
    evaluated_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "engine"
        constraints = [models.UniqueConstraint(fields=["customer_id", "name"], name="one_trigger_per_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.customer_id}"


class TriggerRecipient(models.Model):
    """The id of somebody who may be addressed, sealed; kept only for customers with triggers."""

    customer_id = models.CharField(max_length=64)
    user = models.CharField(max_length=32)  # pseudonym
    sealed = models.TextField()

    class Meta:
        app_label = "engine"
        constraints = [models.UniqueConstraint(fields=["customer_id", "user"], name="one_recipient")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.user[:8]}..."


# Of messages in the outbox; the key of one is that of its row here.
MESSAGE_KIND = "trigger_message"


class TriggerMessage(models.Model):
    """That somebody was written to. ``occasion``: what it was about, so that it is not said again."""

    trigger = models.ForeignKey(Trigger, on_delete=models.CASCADE, related_name="messages")
    user = models.CharField(max_length=32)  # pseudonym
    occasion = models.CharField(max_length=64)
    nth = models.PositiveSmallIntegerField()  # of the messages about it, from 1
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "engine"
        constraints = [
            models.UniqueConstraint(fields=["trigger", "user", "occasion", "nth"], name="said_once")
        ]

    def __str__(self) -> str:
        return f"{self.trigger}: {self.user[:8]}... ({self.nth})"
