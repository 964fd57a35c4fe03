from __future__ import annotations

from django.apps import AppConfig


class ServerConfig(AppConfig):
    name = "personalization.server"
    label = "engine"
    verbose_name = "Recommendation engine"

    def ready(self) -> None:
        from personalization.server import training  # noqa: F401 - registers its jobs
        from personalization.server.items import imports  # noqa: F401 - registers its jobs
