from __future__ import annotations

from django.apps import AppConfig


class ClientConfig(AppConfig):
    name = "personalization.client"
    label = "connector"
    verbose_name = "Personalization connector"

    def ready(self) -> None:
        from personalization.client import receivers  # noqa: F401 - listens to the read model
