from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ServerConfig(AppConfig):
    name = "personalization.server"
    label = "engine"
    verbose_name = _("Recommendation engine")

    def ready(self) -> None:
        from django.core.signals import request_finished, request_started

        from config.customers.directory import customer_created
        from personalization.server import (
            categories,  # noqa: F401 - registers its jobs
            choosing,  # noqa: F401 - registers its jobs
            defaults,
            page_memory,
            people,  # noqa: F401 - registers where something of a person stands
            training,  # noqa: F401 - registers its jobs
            warm,  # noqa: F401 - registers what web processes load at their start
        )
        from personalization.server.evaluation import reports  # noqa: F401 - registers its jobs
        from personalization.server.items import (
            imports,  # noqa: F401 - registers its jobs
            old_runs,  # noqa: F401 - the worker calls it
        )
        from personalization.server.triggers import (
            deliver,  # noqa: F401 - registers its messages
            nightly,  # noqa: F401 - registers its jobs
        )

        request_started.connect(page_memory.begin, dispatch_uid="engine.page_begins")
        request_finished.connect(page_memory.end, dispatch_uid="engine.page_ends")
        customer_created.connect(defaults.on_customer_created, dispatch_uid="engine.defaults")
