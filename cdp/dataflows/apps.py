from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DataflowsConfig(AppConfig):
    name = "cdp.dataflows"
    label = "dataflows"
    verbose_name = _("Dataflows")

    def ready(self) -> None:
        from cdp.dataflows import (  # noqa: F401 - each registers what it has
            checks,
            clearing,
            places,
            run,
            vocabulary,
        )
