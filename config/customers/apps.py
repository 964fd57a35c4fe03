from __future__ import annotations

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "config.customers"
    label = "customers"
    verbose_name = "Customers"

    def ready(self) -> None:
        from config.customers import checks  # noqa: F401 - registers what the doctor asks
