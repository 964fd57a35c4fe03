"""Rows that name a person by pseudonym, brought into the form of today when the key changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Model, QuerySet

from tracking import identity
from tracking.rotation.ranges import within

BATCH = 500


class Rekeyed:
    """The part of a :class:`tracking.people.place.Place` about keys, for a table with the columns
    ``customer_id`` and ``user``."""

    model: ClassVar[type[Model]]

    def outdated(self, customer_id: str) -> int:
        return self._outdated(customer_id).count()

    def rekey(self, customer_id: str) -> Iterator[int]:
        while rows := list(self._outdated(customer_id).order_by("pk")[:BATCH]):
            with transaction.atomic():
                for row in rows:
                    self.move(row, identity.newest(customer_id, row.user))
            yield len(rows)

    def move(self, row: Any, form: str) -> None:
        """Bring a row into the form of today, or remove it where one in that form is there."""
        raise NotImplementedError

    def _outdated(self, customer_id: str) -> QuerySet[Any]:
        return within(self.model, customer_id, "user", identity.outdated())
