"""What visitors did. These tables live in the events database (`settings.EVENTS_DB`).

Rows are written in bulk by :mod:`tracking.collector.writer` and read through
:mod:`tracking.queries` and :mod:`tracking.lake`; nobody above imports these models.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models


class Event(models.Model):
    """One stored event. Times are microseconds since 1970 in UTC, an integer on every database."""

    customer_id = models.CharField(max_length=64)
    event = models.CharField(max_length=20)  # code of tracking.events
    # First 128 bits of HMAC-SHA256(customer's key, raw id), hexadecimal; "" for not_defined.
    user = models.CharField(max_length=32, default="", blank=True)
    item_type = models.PositiveIntegerField(null=True, blank=True)
    item_id = models.CharField(max_length=255, default="", blank=True)
    ts = models.BigIntegerField()  # when it happened
    received = models.BigIntegerField()  # when we were told
    quantity = models.PositiveIntegerField(null=True, blank=True)
    price = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)  # of one unit
    currency = models.CharField(max_length=3, default="", blank=True)
    percentage = models.PositiveSmallIntegerField(null=True, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    category_path = models.CharField(max_length=1024, default="", blank=True)
    scenario = models.CharField(max_length=64, default="", blank=True)
    model_id = models.CharField(max_length=64, default="", blank=True)
    request_uuid = models.CharField(max_length=36, default="", blank=True)
    segments = models.CharField(max_length=255, default="", blank=True)
    lang = models.CharField(max_length=16, default="", blank=True)
    trigger_name = models.CharField(max_length=64, default="", blank=True)
    # Sent by clients that may repeat themselves; unique per customer, numbered within a bundle.
    event_id = models.CharField(max_length=64, null=True, blank=True)
    seq = models.PositiveSmallIntegerField(default=0)
    # The default is the database's own too: a collector from before the column goes on storing.
    order_id = models.CharField(max_length=255, default="", db_default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "event_id", "seq"],
                condition=models.Q(event_id__isnull=False),
                name="event_once",
            )
        ]
        indexes = [
            models.Index(fields=["customer_id", "user", "-ts"], name="event_history"),
            # For counting minutes by it alone. It grows at one end per customer, which a batch hardly feels.
            models.Index(fields=["customer_id", "received", "event"], name="event_received"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.item_type}/{self.item_id}"


class IdentityEdge(models.Model):
    """A login: until ``ts`` the source's events belong to the target."""

    customer_id = models.CharField(max_length=64)
    source = models.CharField(max_length=32)
    target = models.CharField(max_length=32)
    ts = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "source", "target", "ts"], name="identity_edge_once"
            )
        ]
        indexes = [
            models.Index(fields=["customer_id", "target"], name="edge_target"),
            models.Index(fields=["customer_id", "source"], name="edge_source"),
        ]

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


class Cursor(models.Model):
    """How far a reader has come: the lake in the events, the mover in the journal of a collector."""

    name = models.CharField(max_length=32, unique=True)
    last_id = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.last_id}"


class JournaledBatch(models.Model):
    """Events that are on disk and wait to be moved into the tables, on PostgreSQL; see collector.journal."""

    size = models.PositiveIntegerField()  # events
    events = models.TextField()  # JSON list of lists, columns as in collector.rows
    edges = models.TextField()
    refused = models.BooleanField(default=False)  # by the tables; kept for somebody to look at

    def __str__(self) -> str:
        return f"{self.size} rows"


class RefusedRequest(models.Model):
    """A request that did not become an event, and why; the newest are kept for the event debugger.

    ``target`` is the address as it came, with the user's part replaced; bodies are not kept.
    """

    received = models.BigIntegerField(db_index=True)
    customer_id = models.CharField(max_length=64, default="", blank=True)  # as it was sent
    event = models.CharField(max_length=32, default="", blank=True)  # as it was sent
    status = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=16)
    target = models.CharField(max_length=500)
    message = models.CharField(max_length=300)

    def __str__(self) -> str:
        return f"{self.status} {self.target}"


class Erasure(models.Model):
    """The receipt of a person's erasure. Neither the id nor the whole pseudonym stands in it."""

    receipt = models.CharField(max_length=32, unique=True)
    customer_id = models.CharField(max_length=64)
    digits = models.CharField(max_length=8)  # first ones of the pseudonym
    linked = models.BooleanField(default=False)
    erased_at = models.BigIntegerField()  # what was received until then goes
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)  # place -> how much was erased there

    def __str__(self) -> str:
        return f"{self.receipt} of customer {self.customer_id}"

    @property
    def began(self) -> datetime:
        return datetime.fromtimestamp(self.erased_at / 1_000_000, UTC)


class PseudonymKey(models.Model):
    """A key under which users are stored, by its fingerprint; see tracking.rotation.keys."""

    generation = models.PositiveSmallIntegerField(unique=True)
    fingerprint = models.CharField(max_length=16)
    begun_at = models.DateTimeField()
    # When nothing of an older generation was stored any more.
    finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.generation}: {self.fingerprint}"


class Tombstone(models.Model):
    """Events of ``user`` with ``after < ts <= until`` were erased; later copies of them are nobody's."""

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="tombstones")
    customer_id = models.CharField(max_length=64)
    user = models.CharField(max_length=32)
    after = models.BigIntegerField()
    until = models.BigIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["erasure", "user", "after", "until"], name="tombstone_once")
        ]
        indexes = [models.Index(fields=["customer_id", "user"], name="tombstone_user")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.user[:8]}"


class NoRows(models.Manager["Person"]):
    """Wagtail's log asks for the rows that its entries name."""

    def get_queryset(self) -> models.QuerySet[Person]:
        return super().get_queryset().none()


class Person(models.Model):
    """Somebody as permissions and the log of the back office name them; there is no table of people."""

    name = models.CharField(primary_key=True, max_length=128)

    objects = NoRows()

    class Meta:
        managed = False
        verbose_name = "tracked person"
        default_permissions = ("view",)
        permissions = [("erase_person", "Can erase what is tracked of a person for good")]

    def __str__(self) -> str:
        return self.name
