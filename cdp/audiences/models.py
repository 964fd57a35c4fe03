"""Audiences: what is asked of people, who fits, and since when (reference `cdp.md` 3)."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from cdp.profiles.models import Account, Profile

IDENTIFIER = r"^[a-z][a-z0-9_]{0,63}\Z"


class Audience(models.Model):
    """A rule over profiles. ``definition`` is a document of :mod:`cdp.audiences.conditions`."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="audiences")
    name = models.CharField(_("name"), max_length=100)
    # Made once from the name; segments and other audiences know it by this.
    identifier = models.CharField(
        _("identifier"),
        max_length=64,
        validators=[RegexValidator(IDENTIFIER, _("Use small letters, digits and _, a letter first."))],
    )
    description = models.CharField(_("description"), max_length=500, default="", blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    definition = models.JSONField(_("conditions"))
    version = models.PositiveIntegerField(default=1)
    # Only people who granted this purpose are in it; "" asks nobody.
    purpose = models.CharField(_("purpose"), max_length=32, default="", blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    # Of the last scheduled calculation; its members are the memberships.
    profile_count = models.PositiveBigIntegerField(null=True, blank=True)
    calculated_at = models.DateTimeField(null=True, blank=True)
    sequence = models.PositiveBigIntegerField(default=0)
    is_stale = models.BooleanField(default=True)  # the rule changed since
    # Of the last refresh, which counts and changes nothing.
    local_count = models.PositiveBigIntegerField(null=True, blank=True)
    local_calculated_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=96, default="", blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        constraints = [
            models.UniqueConstraint(fields=["account", "identifier"], name="audience_identifier_once"),
            models.UniqueConstraint(
                "account", Lower("name"), condition=Q(archived_at=None), name="audience_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AudienceVersion(models.Model):
    """A definition as somebody saved it."""

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["audience", "number"], name="audience_version_once")]

    def __str__(self) -> str:
        return f"{self.audience_id} version {self.number}"


class AudienceMembership(models.Model):
    """A profile of an audience, as of its last calculation."""

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="memberships")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="memberships")
    joined_at = models.DateTimeField()
    sequence = models.PositiveBigIntegerField()  # of the calculation in which it joined

    class Meta:
        constraints = [models.UniqueConstraint(fields=["audience", "profile"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.profile_id} in {self.audience_id}"


class MembershipChange(models.Model):
    """A profile that joined or left."""

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="changes")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="membership_changes")
    joined = models.BooleanField()  # or left
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["audience", "sequence"], name="change_of_audience")]

    def __str__(self) -> str:
        return f"{self.profile_id} {'joined' if self.joined else 'left'} {self.audience_id}"


class AudienceRun(models.Model):
    """A calculation and what came of it."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", _("Schedule")
        MANUAL = "manual", _("By hand")

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="runs")
    sequence = models.PositiveBigIntegerField()
    trigger = models.CharField(max_length=8, choices=Trigger.choices, default=Trigger.SCHEDULE)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    as_of = models.DateTimeField()
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    count = models.PositiveBigIntegerField(null=True, blank=True)
    joined = models.PositiveBigIntegerField(default=0)
    left = models.PositiveBigIntegerField(default=0)
    error = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["audience", "-started_at"], name="audience_newest_runs")]

    def __str__(self) -> str:
        return f"{self.audience_id} run {self.sequence}"
