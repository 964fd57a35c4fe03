from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExportConfig(AppConfig):
    name = "cdp.export"
    label = "cdp_export"
    verbose_name = _("Data export")

    def ready(self) -> None:
        from cdp.export import (
            checks,  # noqa: F401 - registers what doctor asks
            schedule,  # noqa: F401 - registers what the worker calls
            users,  # noqa: F401 - registers the type "user"
            values,  # noqa: F401 - registers the built-in processors
        )
