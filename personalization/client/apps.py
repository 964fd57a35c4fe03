from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClientConfig(AppConfig):
    name = "personalization.client"
    label = "connector"
    verbose_name = _("Personalization connector")

    def ready(self) -> None:
        from config import openapi
        from personalization.client import receivers, upkeep  # noqa: F401 - listen and register
        from personalization.client.export import run  # noqa: F401 - registers its job
        from personalization.client.openapi import document

        openapi.describe(openapi.Description(name="content", title="Content", build=document.document))
