"""People as a customer data platform knows them (reference `cdp.md` 2.6, 6, 9.1).

Everything known hangs on the identifiers of a person: what a source says of it, what it did. A profile is the
set of identifiers that were found to be of one person. Hence two profiles are joined by moving identifiers,
and parted again by moving them back, with all that hangs on them.

Times called ``ts``, ``written`` and the like are microseconds since 1970 in UTC; amounts are whole numbers of
ten-thousandths: sums are exact on every database.
"""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

UNITS = 10_000  # of an amount


class Account(models.Model):
    """A population of people of its own, such as all customers of a shop."""

    number = models.PositiveIntegerField(
        _("number"), unique=True, validators=[MinValueValidator(1_000), MaxValueValidator(999_999)]
    )
    name = models.CharField(_("name"), max_length=100)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    # Of the key that erasures are asked for with; "" while there is none.
    api_key_digest = models.CharField(max_length=64, default="", blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class Feed(models.Model):
    """A customer whose tracked events are this account's too, and how far they were read."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="feeds")
    customer_id = models.CharField(max_length=64)
    last_id = models.BigIntegerField(default=0)  # of tracking's events
    last_edge = models.BigIntegerField(default=0)  # of its logins
    # The highest name of the account that was given its pseudonym of this customer.
    last_name = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "customer_id"], name="feed_once")]

    def __str__(self) -> str:
        return f"{self.customer_id} feeds {self.account_id}"


class PersonIdentifier(models.Model):
    """A kind of name for a person, such as ``userid``; its own name is never used twice."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="person_identifiers")
    name = models.CharField(_("name"), max_length=64)
    is_system = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("person identifier")
        verbose_name_plural = _("person identifiers")
        constraints = [models.UniqueConstraint("account", Lower("name"), name="person_identifier_once")]

    def __str__(self) -> str:
        return self.name


class Profile(models.Model):
    """A person. ``attributes`` is what all sources say together, the newest of each that is not null."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="profiles")
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    attributes = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(null=True, blank=True)
    # Not while all that is known of it is a set that is being written and may never be in force.
    is_listed = models.BooleanField(default=True, db_default=True)

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        permissions = [("erase_profile", "Can erase a person for good and see receipts of erasures")]

    def __str__(self) -> str:
        return str(self.uuid)


class ProfileIdentifier(models.Model):
    """A name of a person. What it is called is found by ``digest`` and read from ``sealed``.

    ``kind`` is the name of a person identifier, or ``tracked:<customer>`` for the pseudonym under which
    tracking stores the person; that is the digest itself, and nobody knows more of it.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    sealed = models.TextField(default="", blank=True)
    active = models.BooleanField(default=True)
    first_seen = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "kind", "digest"], name="identifier_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.digest[:8]}"


class Source(models.Model):
    """What may say something of people: a schema of a dataflow, an identify call, somebody by hand."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=80)  # "dataflow:5:schema:3", "identify", "manual"
    generation = models.PositiveIntegerField(default=0)  # the one in force
    begun = models.PositiveIntegerField(default=0)  # the newest that was begun
    types = models.JSONField(default=dict)  # attribute -> its type, of all that was ever said

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="source_once")]

    def __str__(self) -> str:
        return self.name


class Contribution(models.Model):
    """What one source says of the person behind one identifier.

    ``data``: attribute -> [value, when it was written]. A generation that is not the source's own is not in
    force: it is being written, or was replaced.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="contributions")
    generation = models.PositiveIntegerField()
    # Whether it changes nothing of the profile when its generation comes into force.
    is_same = models.BooleanField(default=False)
    identity = models.ForeignKey(ProfileIdentifier, on_delete=models.CASCADE, related_name="contributions")
    data = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "generation", "identity"], name="contribution_once")
        ]

    def __str__(self) -> str:
        return f"{self.source_id} of {self.identity_id}"


class Interaction(models.Model):
    """Something a person did."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    profile = models.ForeignKey(
        Profile, on_delete=models.CASCADE, related_name="interactions", db_index=False
    )
    # By which the person was known then; it decides where the row goes when two people turn out to be one.
    identity = models.ForeignKey(ProfileIdentifier, on_delete=models.CASCADE, related_name="interactions")
    event = models.CharField(max_length=20)  # visit, basket, buy, itemclick, pageview, contentvisit, ...
    ts = models.BigIntegerField()
    day = models.IntegerField()  # since 1970, in the time zone of the account
    source = models.CharField(max_length=80)  # "tracked:10101", "dataflow:5"
    event_id = models.CharField(max_length=64, null=True, blank=True)  # unique within the source
    session = models.CharField(max_length=64, default="", blank=True)
    item_type = models.CharField(max_length=64, default="", blank=True)
    product_id = models.CharField(max_length=255, default="", blank=True)
    product_name = models.CharField(max_length=255, default="", blank=True)
    # Ids of the categories from the top to the leaf, with a slash before and behind each: "/c1/c11/".
    category_path = models.CharField(max_length=1024, default="", blank=True)
    category = models.CharField(max_length=255, default="", blank=True)  # the leaf
    brand = models.CharField(max_length=255, default="", blank=True)
    order_id = models.CharField(max_length=255, default="", blank=True)
    quantity = models.IntegerField(null=True, blank=True)
    price = models.BigIntegerField(null=True, blank=True)  # of one unit, in ten-thousandths
    subtotal = models.BigIntegerField(null=True, blank=True)  # in ten-thousandths
    currency = models.CharField(max_length=3, default="", blank=True)
    percentage = models.IntegerField(null=True, blank=True)
    rating = models.IntegerField(null=True, blank=True)
    props = models.JSONField(default=dict)  # what else came with it: texts, numbers, booleans

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "source", "event_id"],
                condition=models.Q(event_id__isnull=False),
                name="interaction_once",
            )
        ]
        indexes = [
            # With the amount, so that a sum of all purchases reads no row: 2 s instead of 12 of a million.
            models.Index(
                fields=["account", "event", "ts", "profile", "subtotal"], name="interaction_by_event"
            ),
            models.Index(fields=["profile", "event", "ts"], name="interaction_by_profile"),
        ]

    def __str__(self) -> str:
        return f"{self.event} of {self.profile_id}"


class ProfileMerge(models.Model):
    """Two profiles that became one, with the identifiers that moved, so that they can be parted again."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    winner = models.UUIDField(db_index=True)
    loser = models.UUIDField(db_index=True)  # its address leads to the winner
    identifiers = models.JSONField()  # keys of those that moved
    # What else it takes to part them: "created_at" of the loser, "rows" that moved, "added" consents.
    kept = models.JSONField(default=dict)
    reason = models.CharField(max_length=80)  # the source that named both
    merged_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.loser} into {self.winner}"


class Consent(models.Model):
    """What a person said to a purpose; the newest row of each holds until it ends."""

    class Status(models.TextChoices):
        GRANTED = "granted", _("Granted")
        DENIED = "denied", _("Denied")
        REVOKED = "revoked", _("Revoked")

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=32)  # statistics, personalisation, marketing
    status = models.CharField(max_length=8, choices=Status.choices)
    given_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=80, default="", blank=True)
    text_version = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["profile", "purpose", "-given_at"], name="consent_newest")]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.status}"


class Suppression(models.Model):
    """A name that was erased: nothing brings it back until somebody reinstates it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="suppressions")
    kind = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    # The erasure it is of: who is reinstated by one name is so by all.
    ticket = models.ForeignKey(
        "ErasureTicket", on_delete=models.SET_NULL, null=True, blank=True, related_name="suppressions"
    )
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "kind", "digest"], name="suppressed_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.digest[:8]}"


class ErasureTicket(models.Model):
    """An erasure that was asked for. Who it was is not in it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    ticket = models.UUIDField(unique=True, default=uuid.uuid4)
    identifiers = models.JSONField()  # [kind, digest] of each
    asked_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)  # nothing is left here; others are being told
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)  # place -> rows

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")

    def __str__(self) -> str:
        return str(self.ticket)


class Insight(models.Model):
    """Something that the people in charge should look at."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="insights")
    code = models.CharField(max_length=40)
    subject = models.CharField(max_length=120, default="", blank=True)  # what it is about, within the code
    message = models.CharField(max_length=500)
    count = models.PositiveIntegerField(default=1)
    first_seen = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "code", "subject"], name="insight_once")]

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
