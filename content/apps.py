from __future__ import annotations

from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "content"
    verbose_name = "Content"

    def ready(self) -> None:
        from content import checks, receivers  # noqa: F401 - checks register themselves

        receivers.connect()
