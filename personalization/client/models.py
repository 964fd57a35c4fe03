"""State of the connector: its tokens and its export runs."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AccessToken(models.Model):
    """A bearer token the engine presents when it fetches content. Only its hash is kept.

    The table has the shape of seed `enable_personalization.md` (`ibexa_token`: type, identifier), with
    SHA-256 in place of the token itself.
    """

    UPDATE, EXPORT = "update", "export"

    type = models.PositiveSmallIntegerField(default=1)
    identifier = models.CharField(max_length=128, default=UPDATE)
    customer_id = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    revoked = models.BooleanField(default=False)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.identifier} token of {self.customer_id}"


class ExportRun(models.Model):
    """One full export of one customer."""

    class Phase(models.TextChoices):
        WRITING = "writing", _("Writing files")
        NOTIFYING = "notifying", _("Notifying the engine")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    customer_id = models.CharField(max_length=64)
    site_name = models.CharField(max_length=128)  # the site access that was exported
    job_id = models.PositiveBigIntegerField(null=True, blank=True)
    # yyyy/mm/dd/hh/mm/<customer>-<random>, below the export root
    folder = models.CharField(max_length=128, unique=True)
    login = models.CharField(max_length=64, default="", blank=True)
    password_hash = models.CharField(max_length=128, default="", blank=True)
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.WRITING)
    items = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    transaction = models.CharField(max_length=17, default="", blank=True)
    engine_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.TextField(default="", blank=True)
    options = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id"],
                condition=models.Q(phase__in=["writing", "notifying"]),
                name="one_active_export_per_customer",
            )
        ]

    def __str__(self) -> str:
        return f"Export {self.pk} of customer {self.customer_id}"

    def end(self, phase: str, *, error: str = "", status: int | None = None) -> None:
        """Store how the run ended; the only place that does. ``status`` is the engine's answer."""
        self.phase, self.error, self.finished_at = phase, error, timezone.now()
        if status is not None:
            self.engine_status = status
        if phase == self.Phase.DONE:  # a failed one may be announced again
            self.options.pop("sealed_license_key", None)
        changed = ["phase", "error", "finished_at", "engine_status", "items", "bytes", "options"]
        self.save(update_fields=changed)
