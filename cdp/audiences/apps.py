from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AudiencesConfig(AppConfig):
    name = "cdp.audiences"
    label = "audiences"
    verbose_name = _("Audiences")

    def ready(self) -> None:
        from cdp.audiences import (  # noqa: F401 - they register what they have
            people,
            schedule,
            upkeep,
        )
        from cdp.audiences.compile import functions

        functions.install()
