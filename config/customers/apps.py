from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "config.customers"
    label = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from config.customers import checks  # noqa: F401 - registers what the doctor asks
