from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ActivationsConfig(AppConfig):
    name = "cdp.activations"
    label = "activations"
    verbose_name = _("Activations")

    def ready(self) -> None:
        from cdp.activations import (  # noqa: F401 - they register what they have
            news,
            people,
            upkeep,
        )
