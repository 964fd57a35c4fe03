from __future__ import annotations

from django.apps import AppConfig


class ActivationsConfig(AppConfig):
    name = "cdp.activations"
    label = "activations"
    verbose_name = "Activations"

    def ready(self) -> None:
        from cdp.activations import (  # noqa: F401 - they register what they have
            news,
            people,
            upkeep,
        )
