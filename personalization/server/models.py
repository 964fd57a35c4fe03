"""Tables of the embedded engine. What learns the models is in `server.learning`, free of Django."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class StoredItem(models.Model):
    """An item as it was imported, one row per customer, type, id and language."""

    customer_id = models.CharField(max_length=64)
    item_type = models.PositiveIntegerField()
    item_id = models.CharField(max_length=255)
    language = models.CharField(max_length=6, default="", blank=True)
    type_identifier = models.CharField(max_length=64, default="", blank=True)
    description = models.TextField(default="", blank=True)
    uri = models.CharField(max_length=2048, default="", blank=True)
    image = models.CharField(max_length=2048, default="", blank=True)
    price = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    base_id = models.CharField(max_length=255, default="", blank=True)  # of a product's variants
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_to = models.DateTimeField(null=True, blank=True)
    # Without surrounding slashes: ["1/2/95/71"].
    category_paths = models.JSONField(default=list)
    # [[key, type, value], ...] in the order of the source; a key may stand several times.
    attributes = models.JSONField(default=list)
    content = models.JSONField(default=list)  # long texts: [[key, text], ...]
    transaction = models.CharField(max_length=32, default="", blank=True)
    added_at = models.DateTimeField()  # first time this engine heard of the item
    updated_at = models.DateTimeField()
    # Of the write that made the row what it is; see ItemRevision.
    revision = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "item_type", "item_id", "language"], name="one_stored_item"
            )
        ]
        indexes = [
            models.Index(fields=["customer_id", "item_type", "-added_at"], name="item_recent"),
            # What the catalogue in memory has not seen yet.
            models.Index(fields=["customer_id", "revision"], name="item_revision"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.item_type}/{self.item_id} ({self.language})"


class UserAttributes(models.Model):
    """What one source told of a user; :mod:`server.people` writes it."""

    customer_id = models.CharField(max_length=64)
    user = models.CharField(max_length=32)  # pseudonym
    source = models.CharField(max_length=64)
    attributes = models.JSONField(default=list)  # [[key, type, value], ...]
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer_id", "user", "source"], name="one_row_per_source")
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.user[:8]}... ({self.source})"


class ItemRevision(models.Model):
    """How far the writes to a customer's items have come; :mod:`server.items.revisions` keeps it.

    Every write transaction raises it first and so holds its row: revisions become visible in their order.
    """

    customer_id = models.CharField(max_length=64, primary_key=True)
    revision = models.PositiveBigIntegerField()
    # Removals of earlier revisions are forgotten.
    removals_from = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.revision}"


class RemovedItem(models.Model):
    """An item that lost one of its rows, or its only one, for the catalogues in memory."""

    customer_id = models.CharField(max_length=64)
    revision = models.PositiveBigIntegerField()
    item_type = models.PositiveIntegerField()
    item_id = models.CharField(max_length=255)

    class Meta:
        indexes = [models.Index(fields=["customer_id", "revision"], name="item_removal")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.item_type}/{self.item_id}, removed at {self.revision}"


class ImportRun(models.Model):
    """What one notification brought in: a row of the import history."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    customer_id = models.CharField(max_length=64)
    transaction = models.CharField(max_length=32, default="", blank=True)
    action = models.CharField(max_length=8)  # FULL, UPDATE, DELETE
    item_type = models.PositiveIntegerField()
    type_name = models.CharField(max_length=255, default="", blank=True)
    language = models.CharField(max_length=6, default="", blank=True)
    item_id = models.CharField(max_length=255, default="", blank=True)
    imported = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    error = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["customer_id", "-id"], name="import_history")]

    def __str__(self) -> str:
        return f"{self.action} {self.item_type} ({self.language}) for {self.customer_id}"

    @property
    def subject(self) -> str:
        """What the run was about: the type of an export, or the one item of a notification."""
        if self.item_id:
            return gettext("Item %(id)s of type %(type)s") % {"id": self.item_id, "type": self.item_type}
        return self.type_name or gettext("Type %(type)s") % {"type": self.item_type}


class Model(models.Model):
    """A ranking source of a customer: what it learns from, and with which parameters."""

    customer_id = models.CharField(max_length=64)
    identifier = models.SlugField(max_length=64)
    name = models.CharField(max_length=128)
    kind = models.CharField(max_length=32)  # of learning.registry
    signal = models.CharField(max_length=20, default="", blank=True)  # event code it learns from
    parameters = models.JSONField(default=dict)
    # What server.chosen found on the customer's own events, as a document with a version.
    chosen = models.JSONField(default=dict, blank=True)
    # Versioned document of server.divisions: submodels, time slots, segment groups.
    divisions = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer_id", "identifier"], name="one_model_per_id")]

    def __str__(self) -> str:
        return f"{self.identifier} of {self.customer_id}"

    @property
    def job_key(self) -> str:
        """Of the jobs about this model: while one of a kind waits no second one is made."""
        return f"{self.customer_id}/{self.identifier}"


class CallCount(models.Model):
    """Recommendation calls of one hour; :mod:`server.statistics.calls` writes it."""

    customer_id = models.CharField(max_length=64)
    scenario = models.CharField(max_length=64)
    model = models.CharField(max_length=64, default="", blank=True)  # "": of the scenario as a whole
    hour = models.DateTimeField()
    calls = models.PositiveBigIntegerField(default=0)
    delivered = models.PositiveBigIntegerField(default=0)  # items

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "hour", "scenario", "model"], name="one_count_per_hour"
            )
        ]

    def __str__(self) -> str:
        return f"{self.calls} calls of {self.scenario} of {self.customer_id}, {self.hour}"


class ExchangeRate(models.Model):
    """One euro was worth so many units of a currency; :mod:`server.rates`."""

    day = models.DateField()
    currency = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=19, decimal_places=9)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "currency"], name="one_rate_per_day")]

    def __str__(self) -> str:
        return f"1 EUR = {self.rate} {self.currency} on {self.day}"


class TestStatus(models.TextChoices):
    """Where a comparison of two scenarios stands, by the clock alone (engine-protocol.md 6.9). The reference
    also knows NEW, a test without a beginning; ours has one from the first."""

    PREPARED = "prepared", "Prepared"
    RUNNING = "running", "Running"
    ARCHIVED = "archived", "Archived"


class ScenarioTests(models.QuerySet["ScenarioTest"]):
    def standing(self, status: str, *, now: datetime) -> ScenarioTests:
        """Those that are prepared, running or archived at a moment."""
        if status == TestStatus.PREPARED:
            return self.filter(starts_at__gt=now)
        if status == TestStatus.RUNNING:
            return self.filter(starts_at__lte=now, ends_at__gt=now)
        return self.filter(starts_at__lte=now, ends_at__lte=now)

    def of_scenario(self, identifier: str) -> ScenarioTests:
        """Those that a scenario is part of, as A or as B."""
        return self.filter(Q(scenario_a=identifier) | Q(scenario_b=identifier))


class ScenarioTest(models.Model):
    """A comparison of two scenarios; :mod:`server.statistics.experiments`."""

    Status = TestStatus

    customer_id = models.CharField(max_length=64)
    scenario_a = models.CharField(max_length=64)
    scenario_b = models.CharField(max_length=64)
    share_b = models.PositiveSmallIntegerField(default=10)  # percent of the users
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    objects = ScenarioTests.as_manager()

    class Meta:
        verbose_name = _("A/B test")
        indexes = [models.Index(fields=["customer_id", "-starts_at"], name="test_newest")]

    def __str__(self) -> str:
        return f"{self.scenario_a} against {self.scenario_b} of {self.customer_id}"

    def status_at(self, now: datetime) -> TestStatus:
        """Where it stands at a moment."""
        if now < self.starts_at:
            return TestStatus.PREPARED
        return TestStatus.RUNNING if now < self.ends_at else TestStatus.ARCHIVED


class ItemTransfer(models.Model):
    """What happened with the source up to ``ts`` counts for the target; :mod:`server.items.transfers`."""

    customer_id = models.CharField(max_length=64)
    source_type = models.PositiveIntegerField()
    source_id = models.CharField(max_length=255)
    target_type = models.PositiveIntegerField()
    target_id = models.CharField(max_length=255)
    ts = models.BigIntegerField()  # microseconds since 1970

    class Meta:
        indexes = [models.Index(fields=["customer_id", "ts"], name="transfer_order")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.source_id} -> {self.target_id}"


class EditorialList(models.Model):
    """Items that an editor chose or banned; :mod:`server.editorial` keeps it."""

    customer_id = models.CharField(max_length=64)
    identifier = models.CharField(max_length=64)
    entries = models.JSONField(default=list)  # [[item type, item id, relevance], ...]
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer_id", "identifier"], name="one_list_per_id")]

    def __str__(self) -> str:
        return f"{self.identifier} of {self.customer_id}"


class GivenDefaults(models.Model):
    """Which default models and scenarios a customer got, so that what an editor removes stays away."""

    customer_id = models.CharField(max_length=64, primary_key=True)
    model_names = models.JSONField(default=list)  # identifiers
    scenario_names = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"Defaults of {self.customer_id}"


class AskedAttribute(models.Model):
    """An attribute by which requests want a model divided; it is, while somebody asks for it."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="asked_attributes")
    attribute = models.CharField(max_length=64)
    last_asked = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "attribute"], name="asked_once")]

    def __str__(self) -> str:
        return f"{self.attribute} of {self.model}"


NO_EVENTS = "There are no "  # opens the reason of a build without any


class ModelBuild(models.Model):
    """One attempt to learn a model; the newest active one serves."""

    class Status(models.TextChoices):
        BUILDING = "building", _("Build in progress")
        ACTIVE = "active", _("Active")
        FAILED = "failed", _("Failed")
        RETIRED = "retired", _("Replaced")

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="builds")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.BUILDING)
    version = models.CharField(max_length=40, default="", blank=True)  # folder of the artefact
    items = models.PositiveIntegerField(default=0)
    events = models.PositiveBigIntegerField(default=0)
    # Time of the newest event that was learnt from, in microseconds since 1970.
    until = models.BigIntegerField(default=0)
    # Only items that something happened to were learnt again; the rest is of the version before.
    partial = models.BooleanField(default=False)
    error = models.TextField(default="", blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["model", "-id"], name="build_newest")]

    def __str__(self) -> str:
        return f"{self.model} {self.version} ({self.status})"

    @property
    def lacked_events(self) -> bool:
        """Whether nothing but the want of events kept it from an outcome; a new customer has none."""
        return self.status == self.Status.FAILED and self.error.startswith(NO_EVENTS)


class Scenario(models.Model):
    """A named place for recommendations: what goes in, what comes out, by which strategy."""

    customer_id = models.CharField(max_length=64)
    identifier = models.CharField(max_length=64)
    name = models.CharField(max_length=128)
    description = models.TextField(default="", blank=True)
    input_type = models.PositiveIntegerField(null=True, blank=True)  # empty: any type
    output_types = models.JSONField(default=list)
    # Versioned document of scenarios.strategy: levels, models, contexts, category filters.
    strategy = models.JSONField(default=dict)
    # Versioned document of scenarios.filters.
    filters = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer_id", "identifier"], name="one_scenario_per_id")
        ]

    def __str__(self) -> str:
        return f"{self.identifier} of {self.customer_id}"


# Django looks for the tables of the app here.
from personalization.server.evaluation.models import Evaluation  # noqa: E402, F401
from personalization.server.triggers.models import Trigger, TriggerMessage, TriggerRecipient  # noqa: E402, F401
