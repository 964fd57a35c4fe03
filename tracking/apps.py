from __future__ import annotations

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "tracking"
    verbose_name = "Tracking"

    def ready(self) -> None:
        from tracking import (
            checks,  # noqa: F401 - registers the doctor's questions
            periodic,  # noqa: F401 - registers the worker's turns
            views,  # noqa: F401 - registers what web processes start
        )
