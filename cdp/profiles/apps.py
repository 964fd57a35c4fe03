from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProfilesConfig(AppConfig):
    name = "cdp.profiles"
    label = "profiles"
    verbose_name = _("Profiles")

    def ready(self) -> None:
        from cdp.profiles import (
            checks,  # noqa: F401 - registers what doctor asks
            feed,  # noqa: F401 - registers the worker's turns
            pseudonyms,
            retention,  # noqa: F401 - likewise
            subject,  # noqa: F401 - registers its job
            unfinished,  # noqa: F401 - registers the worker's turn
        )
        from tracking.people import places

        places.register(pseudonyms.Pseudonyms())
