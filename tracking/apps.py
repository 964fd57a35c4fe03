from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrackingConfig(AppConfig):
    name = "tracking"
    verbose_name = _("Tracking")

    def ready(self) -> None:
        from config import openapi
        from tracking import (
            checks,  # noqa: F401 - registers what doctor asks
            periodic,  # noqa: F401 - registers the worker's turns
            views,  # noqa: F401 - registers what web processes start
        )
        from tracking.openapi import document, page
        from tracking.rotation import checks as rotation_checks  # noqa: F401 - the same

        openapi.describe(
            openapi.Description(name="tracking", title="Tracking", build=document.document, page=page.page)
        )
