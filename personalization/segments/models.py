"""Segments of a site's users. What changes them is in :mod:`segments.changes`, what reads in `queries`."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

IDENTIFIER = r"^[A-Za-z][A-Za-z0-9_-]{0,63}\Z"
identifier = RegexValidator(
    IDENTIFIER, _("Begin with a letter and use letters, digits, _ and -, at most 64 of them.")
)


class SegmentGroup(models.Model):
    """A container of segments, such as all audiences of a customer data platform."""

    identifier = models.CharField(_("identifier"), max_length=64, unique=True, validators=[identifier])
    name = models.CharField(_("name"), max_length=100)

    class Meta:
        verbose_name = _("segment group")
        verbose_name_plural = _("segment groups")
        ordering = ["identifier"]

    def __str__(self) -> str:
        return self.name


class Segment(models.Model):
    """A set of users. Its number is what recommendation calls name (``segments=7,11``).

    The rest of the columns is what a customer data platform told of the audience behind it, never asked for
    while a page is made.
    """

    group = models.ForeignKey(SegmentGroup, on_delete=models.CASCADE, related_name="segments")
    identifier = models.CharField(_("identifier"), max_length=64, unique=True, validators=[identifier])
    name = models.CharField(_("name"), max_length=100)
    audience = models.CharField(max_length=64, default="", blank=True)  # its id at the platform
    description = models.CharField(_("description"), max_length=500, default="", blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    size = models.PositiveBigIntegerField(_("size"), null=True, blank=True)  # profiles of the audience
    counted_at = models.DateTimeField(_("last updated"), null=True, blank=True)
    users = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="segments")

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["identifier"]
        constraints = [
            models.UniqueConstraint(
                fields=["group", "audience"], condition=~Q(audience=""), name="one_segment_per_audience"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user of a segment."""

    # Its constraint begins with the segment: one index to keep less for each of millions of rows.
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.segment_id}"
