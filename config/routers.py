"""Which database a model's rows live in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model

EVENT_APPS = {"tracking", "cdp_tracking"}


class EventsRouter:
    """Sends what the collector writes to the events database, all else to the default one."""

    def _home(self, app_label: str) -> str:
        return settings.EVENTS_DB if app_label in EVENT_APPS else "default"

    def db_for_read(self, model: type[Model], **_hints: Any) -> str:
        return self._home(model._meta.app_label)

    def db_for_write(self, model: type[Model], **_hints: Any) -> str:
        return self._home(model._meta.app_label)

    def allow_relation(self, one: Model, other: Model, **_hints: Any) -> bool:
        return self._home(one._meta.app_label) == self._home(other._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool:
        return db == self._home(app_label)
