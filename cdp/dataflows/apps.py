from __future__ import annotations

from django.apps import AppConfig


class DataflowsConfig(AppConfig):
    name = "cdp.dataflows"
    label = "dataflows"
    verbose_name = "Dataflows"

    def ready(self) -> None:
        from cdp.dataflows import (  # noqa: F401 - each registers what it has
            checks,
            clearing,
            places,
            run,
            vocabulary,
        )
