"""Customers that were created in this installation, beside those the sites file names."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return f"{self.name} ({self.customer_id})"
