from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CdpConfig(AppConfig):
    name = "cdp"
    verbose_name = _("Customer data platform")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from cdp import (
            checks,  # noqa: F401 - registers what doctor asks
            configuration,
            demo,  # noqa: F401 - registers its step and what it tells of its people
            own_exports,  # noqa: F401 - hears how exports ended
        )
        from cdp.export import asked
        from cdp.own_streams import overwrites
        from cdp.visitors import segments
        from cdp.webhook import upkeep  # noqa: F401 - registers its jobs, and those of the queue
        from personalization.segments import locks, queries

        locks.register(configuration.filled_groups)
        asked.overwriting.append(overwrites)
        queries.of_visitors(segments.of_request)
        user_logged_in.connect(segments.forget, dispatch_uid="cdp-visitors")
