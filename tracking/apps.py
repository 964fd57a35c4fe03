from __future__ import annotations

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "tracking"
    verbose_name = "Tracking"

    def ready(self) -> None:
        from tracking import (
            checks,  # noqa: F401 - registers what doctor asks
            periodic,  # noqa: F401 - registers the worker's turns
            views,  # noqa: F401 - registers what web processes start
        )
        from tracking.rotation import checks as rotation_checks  # noqa: F401 - the same
