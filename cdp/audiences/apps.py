from __future__ import annotations

from django.apps import AppConfig


class AudiencesConfig(AppConfig):
    name = "cdp.audiences"
    label = "audiences"
    verbose_name = "Audiences"
