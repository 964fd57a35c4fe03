"""Customers that were created in this installation, beside those the sites file names."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.site_access.schema import MOST_EVENTS_PER_SECOND


class Customer(models.Model):
    class Kind(models.TextChoices):
        PUBLISHER = "publisher", _("Publisher")
        COMMERCE = "commerce", _("Commerce")

    customer_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.PUBLISHER)
    # Argon2 would cost 50 ms a request; the key is random, so a keyed digest is as good.
    license_key_digest = models.CharField(max_length=64)
    alphanumeric_items = models.BooleanField(default=False)
    # Who may send its events, and how many: config.customers.gates.
    events_per_second = models.PositiveIntegerField(null=True, blank=True)  # 0 is no limit, none the default
    needs_license_key = models.BooleanField(default=False)
    allowed_origins = models.TextField(default="", blank=True)  # one a line; empty is any
    needs_consent = models.BooleanField(default=False)  # before events are linked to their sender
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.CheckConstraint(
                name="customer_budget",
                condition=models.Q(events_per_second__isnull=True)
                | models.Q(events_per_second__lte=MOST_EVENTS_PER_SECOND),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.customer_id})"
