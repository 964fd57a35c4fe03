from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PersonalizationConfig(AppConfig):
    name = "personalization"
    verbose_name = _("Personalization")

    def ready(self) -> None:
        from content.blocks import register_body_block
        from personalization import (
            checks,  # noqa: F401 - registers what doctor asks
            debug_bar,
        )
        from personalization.blocks import BLOCKS
        from personalization.client import rendering

        rendering.beside = debug_bar.beside
        for name, block in BLOCKS.items():
            register_body_block(name, block())
