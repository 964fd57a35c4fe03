"""The rows of the read model: what can be recommended, one row per item and language."""

from __future__ import annotations

from django.db import models

from content.signals import ItemRef


class Item(models.Model):
    """A published item in one language, as the connector hands it out.

    ``site_id`` is the Wagtail site's, never a name of the sites file: one row serves every site access
    of that site. Only :mod:`content.items.materialise` writes here, only :mod:`content.items.queries`
    reads for others.
    """

    site_id = models.PositiveIntegerField()
    item_type = models.CharField(max_length=64)
    item_type_id = models.PositiveIntegerField()
    content_id = models.PositiveBigIntegerField()
    remote_id = models.CharField(max_length=100)
    language = models.CharField(max_length=6)  # eng-GB
    uri = models.CharField(max_length=2048)
    # Path strings of all locations, "/1/2/95/71/"; a subtree is a prefix.
    category_paths = models.JSONField(default=list)
    published_at = models.DateTimeField()
    is_visible = models.BooleanField(default=True)
    # The item of reference `client-protocol.md` 4.4, JSON in UTF-8, with its key order.
    payload = models.BinaryField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site_id", "item_type_id", "content_id", "language"], name="one_item_row"
            )
        ]
        indexes = [
            # The order in which an export walks: by group, then by id.
            models.Index(
                fields=["site_id", "item_type_id", "language", "is_visible", "content_id"],
                name="item_export",
            ),
            models.Index(fields=["content_id"], name="item_content"),
            models.Index(fields=["remote_id"], name="item_remote"),
        ]

    def __str__(self) -> str:
        return f"{self.item_type} {self.content_id} ({self.language})"

    def ref(self) -> ItemRef:
        """Return what names this row, as signals and :class:`~content.items.queries.Found` carry it."""
        return ItemRef(
            site_id=self.site_id,
            item_type=self.item_type,
            item_type_id=self.item_type_id,
            content_id=self.content_id,
            remote_id=self.remote_id,
            language=self.language,
        )


class ContentId(models.Model):
    """The number an item keeps for ever, in every language.

    The lowest page id of the translations would change when the original is deleted; ids of rows that
    are gone are never given out again.
    """

    remote_id = models.CharField(max_length=100, unique=True)  # Wagtail's translation key
    content_id = models.PositiveBigIntegerField(unique=True)

    def __str__(self) -> str:
        return f"{self.content_id} = {self.remote_id}"


class DirtyItem(models.Model):
    """A source row that changed and is not yet in the read model.

    Written in the transaction of the change itself, so that a crash right after the commit loses
    nothing; the worker sweeps what the request did not get to.
    """

    source = models.CharField(max_length=64)  # name of the ItemSource
    source_id = models.CharField(max_length=100)  # its key of the changed object
    subtree = models.BooleanField(default=False)  # descendants changed too
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["source", "source_id"], name="dirty_source")]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}"


class DeclaredType(models.Model):
    """An item type as it was when its items were last written: see :mod:`content.items.declared`.

    The row "" says that there was a first look.
    """

    identifier = models.CharField(max_length=64, unique=True)
    fingerprint = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.identifier


class Announcement(models.Model):
    """News of the read model that the other layers have not been told yet.

    Written with the rows it tells about; without it, a kill between the commit and the signal would
    leave an engine with old items until the next full export.
    """

    changed = models.JSONField(default=list)  # fields of ItemRef
    removed = models.JSONField(default=list)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{len(self.changed)} changed, {len(self.removed)} removed"
