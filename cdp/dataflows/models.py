"""Feeds of a customer data platform: their settings, what they delivered, what came of it (`cdp.md` 2).

A dataflow is a definition, a :class:`Run` is one delivery. Bodies are kept compressed and sealed until they
are processed.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cdp.profiles.models import Account


class Schema(models.Model):
    """Which fields rows have, and what they are about."""

    class Kind(models.TextChoices):
        PERSONAL = "personal", _("PersonalData")
        CATALOG = "catalog", _("Catalog")
        INTERACTION = "interaction", _("Interaction")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="schemas")
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("parent"), max_length=12, choices=Kind.choices)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    # Of people and what they do: the field by which a person is known; it is called like the identifier.
    identifier = models.CharField(_("person identifier"), max_length=64, default="", blank=True)
    key = models.CharField(
        _("key"), max_length=64, default="", blank=True
    )  # of a catalogue: its unique field
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(  # nobody: by the system, as a demo or a program makes one
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("schema")
        verbose_name_plural = _("schemas")
        constraints = [models.UniqueConstraint("account", Lower("name"), name="schema_name_once")]

    def __str__(self) -> str:
        return self.name


class SchemaField(models.Model):
    class Type(models.TextChoices):
        STRING = "string", _("text")
        INTEGER = "integer", _("whole number")
        DECIMAL = "decimal", pgettext_lazy("type of a column", "number")
        BOOLEAN = "boolean", _("yes or no")
        DATE = "date", _("date")
        DATETIME = "datetime", _("date and time")
        ARRAY = "array", _("list")

    schema = models.ForeignKey(Schema, on_delete=models.CASCADE, related_name="fields")
    name = models.CharField(_("name"), max_length=64)
    type = models.CharField(_("type"), max_length=8, choices=Type.choices)
    mandatory = models.BooleanField(_("mandatory"), default=False)
    locked = models.BooleanField(default=False)  # of the parent, or the identifier
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("field")
        verbose_name_plural = _("fields")
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint("schema", Lower("name"), name="schema_field_once")]

    def __str__(self) -> str:
        return self.name


class Dataflow(models.Model):
    """One feed. ``configuration`` is a document of :mod:`cdp.dataflows.configuration`."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        VALIDATED = "validated", _("Validated")
        MAPPED = "mapped", _("Mapped")
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        ARCHIVED = "archived", _("Archived")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="dataflows")
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=500, default="", blank=True)
    source = models.CharField(max_length=16, default="stream_file")
    destination = models.CharField(max_length=16, default="cdp")
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.DRAFT)
    # Five fields of cron in the time zone of the account; "": deliveries are processed as they come. A test
    # has nothing to see in it, so it is no part of `configuration`.
    schedule = models.CharField(_("schedule"), max_length=200, default="", blank=True)
    # Whoever has it can deliver: found by its fingerprint, shown from what is sealed.
    stream_digest = models.CharField(max_length=64, null=True, blank=True, unique=True)
    sealed_stream_id = models.TextField(default="", blank=True)
    configuration = models.JSONField(default=dict)
    # Changes to one that is active: they must pass a test before they take the place of `configuration`.
    working_copy = models.JSONField(null=True, blank=True)
    parse_required = models.BooleanField(default=False)
    tested_hash = models.CharField(max_length=64, default="", blank=True)  # of what passed
    sample = models.ForeignKey(  # what `configuration` was made from
        "Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("dataflow")
        verbose_name_plural = _("dataflows")
        permissions = [("activate_dataflow", "Can run, activate, pause and resume a dataflow")]
        constraints = [
            models.UniqueConstraint(
                "account", Lower("name"), condition=~Q(status="archived"), name="dataflow_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class MappedSchema(models.Model):
    """A schema that a dataflow fills; what its configuration says, as rows to be found by."""

    dataflow = models.ForeignKey(Dataflow, on_delete=models.CASCADE, related_name="mapped")
    schema = models.ForeignKey(Schema, on_delete=models.PROTECT, related_name="mapped")
    # Of the rows of a catalogue that is in force.
    generation = models.PositiveIntegerField(default=0)
    begun = models.PositiveIntegerField(default=0)  # the last number that a run got to write under

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataflow", "schema"], name="mapped_once")]

    def __str__(self) -> str:
        return f"{self.dataflow_id} fills {self.schema_id}"


class Run(models.Model):
    """One delivery, or one test of a sample."""

    class Kind(models.TextChoices):
        SAMPLE = "sample", _("Sample")
        TEST = "test", _("Test")
        PRODUCTION = "production", _("Production")
        HELD = "held_replay", _("Held data")

    class State(models.TextChoices):
        SAMPLE = "sample", _("Sample")
        HELD = "held", _("Held")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        PARTIAL = "partial", _("Partly")
        FAILED = "failed", _("Failed")
        ABANDONED = "abandoned", _("Abandoned")
        CANCELLED = "cancelled", _("Cancelled")

    dataflow = models.ForeignKey(Dataflow, on_delete=models.CASCADE, related_name="runs")
    number = models.UUIDField(default=uuid.uuid4)  # x-run-id
    kind = models.CharField(max_length=11, choices=Kind.choices)
    state = models.CharField(max_length=9, choices=State.choices)
    trigger = models.CharField(max_length=8, default="receive")  # receive, schedule, manual
    # Collected until then by the schedule of the dataflow; not processed before, nor while it is paused.
    due_at = models.DateTimeField(null=True, blank=True)
    last_sequence = models.PositiveIntegerField(null=True, blank=True)  # of the final chunk, once it is there
    size = models.PositiveBigIntegerField(default=0)  # of all bodies, in bytes
    # Chunks are processed in their order: so many are, and the next has this number. Nobody has to look
    # through the chunks of a run, of which there may be thousands.
    done_chunks = models.PositiveIntegerField(default=0)
    done_rows = models.PositiveBigIntegerField(default=0)
    # How many rows each outcome had; `warned` rows were stored without a value that did not fit.
    received = models.PositiveBigIntegerField(default=0)
    inserted = models.PositiveBigIntegerField(default=0)
    updated = models.PositiveBigIntegerField(default=0)
    unchanged = models.PositiveBigIntegerField(default=0)
    removed = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    warned = models.PositiveBigIntegerField(default=0)
    error = models.CharField(max_length=32, default="", blank=True)  # code
    message = models.CharField(max_length=500, default="", blank=True)
    configuration_hash = models.CharField(max_length=64, default="", blank=True)
    generations = models.JSONField(default=dict)  # of an overwrite: schema -> the one being written
    started_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True)  # when the last chunk came
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = [models.UniqueConstraint(fields=["dataflow", "number", "kind"], name="run_once")]
        indexes = [
            models.Index(fields=["dataflow", "-started_at"], name="runs_newest"),
            models.Index(fields=["state", "touched_at"], name="runs_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.dataflow_id}"

    @property
    def is_final(self) -> bool:
        return self.last_sequence is not None

    @property
    def is_open(self) -> bool:
        """Whether it waits or is being processed, and can be cancelled."""
        return self.state in (self.State.HELD, self.State.QUEUED, self.State.RUNNING)

    @property
    def is_live(self) -> bool:
        """Whether its rows are stored; a draft is looked at alone."""
        return self.kind in (self.Kind.PRODUCTION, self.Kind.HELD)


class Payload(models.Model):
    """A chunk of a run. Its body goes once the run has ended; rows that were refused stay for a while."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="payloads")
    sequence = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)  # of the body as it came
    content_type = models.CharField(max_length=64)
    size = models.PositiveIntegerField()  # of the body, in bytes
    rows = models.PositiveIntegerField()
    sealed = models.TextField(default="", blank=True)
    sealed_refused = models.TextField(default="", blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="chunk_once")]
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"chunk {self.sequence} of run {self.run_id}"


class RowError(models.Model):
    """Why a row was not stored, or was stored without a value; the first of a run."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="errors")
    index = models.PositiveBigIntegerField()  # of the row within the run, from 0
    column = models.CharField(max_length=64, default="", blank=True)
    code = models.CharField(max_length=32)
    value = models.CharField(max_length=16, default="", blank=True)  # its first characters
    is_warning = models.BooleanField(default=False)

    class Meta:
        ordering = ["index", "pk"]

    def __str__(self) -> str:
        return f"{self.code} in row {self.index}"


class CatalogRow(models.Model):
    """A row of a schema that is not about people."""

    mapped = models.ForeignKey(MappedSchema, on_delete=models.CASCADE, related_name="rows")
    generation = models.PositiveIntegerField()
    key = models.CharField(max_length=255)
    data = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mapped", "generation", "key"], name="row_once")]

    def __str__(self) -> str:
        return self.key
