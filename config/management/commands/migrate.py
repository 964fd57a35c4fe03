"""Django's migrate, which knows that events have a database of their own."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command as DjangoMigrate

from config import private
from config.routers import EVENT_APPS


class Command(DjangoMigrate):
    """Without an app or a database named, both databases are migrated."""

    help = "Updates the schema of the database, and of the events database where it is a separate one."

    def handle(self, *args: Any, **options: Any) -> None:
        whole = not options["app_label"]
        if whole and options["database"] == "events" and settings.EVENTS_DB == "events":
            # Nothing else lives there; walking through all other apps' migrations takes ten seconds.
            for app in sorted(EVENT_APPS):
                super().handle(*args, **{**options, "app_label": app})
        else:
            super().handle(*args, **options)
        private.shut(settings.VAR_DIR)
        # A test runner creates its databases one after the other and asks for each by itself.
        tests = settings.TESTING or sys.argv[1:2] == ["test"]
        if whole and options["database"] == "default" and settings.EVENTS_DB == "events" and not tests:
            self.handle(*args, **{**options, "app_label": None, "database": "events"})
