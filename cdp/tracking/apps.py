from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrackedConfig(AppConfig):
    name = "cdp.tracking"
    label = "cdp_tracking"  # "tracking" is the part below
    verbose_name = _("Tracking for customer data")

    def ready(self) -> None:
        from cdp.tracking import (
            checks,  # noqa: F401 - registers what doctor asks
            deliver,  # noqa: F401 - registers what the worker does
            forget,  # noqa: F401 - listens to erasures
        )
