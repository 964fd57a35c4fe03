from __future__ import annotations

from django.apps import AppConfig


class AudiencesConfig(AppConfig):
    name = "cdp.audiences"
    label = "audiences"
    verbose_name = "Audiences"

    def ready(self) -> None:
        from cdp.audiences import (  # noqa: F401 - they register what they have
            people,
            schedule,
            upkeep,
        )
        from cdp.audiences.compile import functions

        functions.install()
