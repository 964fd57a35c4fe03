from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "config.jobs"
    label = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        from config.jobs import history  # noqa: F401 - the worker calls it
