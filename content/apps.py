from __future__ import annotations

from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "content"
    verbose_name = "Content"

    def ready(self) -> None:
        from content import checks, receivers, schedule  # noqa: F401 - two register themselves

        receivers.connect()
