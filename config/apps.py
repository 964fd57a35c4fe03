"""The ground app: commands, checks and templates that belong to no single part."""

from __future__ import annotations

from django.apps import AppConfig


class ConfigApp(AppConfig):
    name = "config"
    label = "lodestar"
    verbose_name = "Lodestar"

    def ready(self) -> None:
        from config import checks, query_log  # noqa: F401 - registers the system checks

        query_log.install()
