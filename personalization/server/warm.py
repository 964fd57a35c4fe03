"""What the engine has at hand before the first request of a web process."""

from __future__ import annotations

from contextlib import suppress

from django.db import connections

from config import site_access, web
from personalization.server import plans
from personalization.server.artefacts import shelf
from personalization.server.catalogues import catalogues
from personalization.server.defaults import SCENARIOS
from tracking import viewers


@web.warmer
def load_engine() -> None:
    """Open what every customer of the sites file needs, and count who looks at what."""
    try:
        for customer_id in {str(site.customer_id) for site in site_access.configured_sites()}:
            load_customer(customer_id)
        viewers.board.refresh()
    finally:
        connections.close_all()


def load_customer(customer_id: str) -> None:
    catalogues.of(customer_id)
    for scenario in SCENARIOS:
        # An editor may have removed some.
        with suppress(plans.UnknownScenario):
            for model in plans.plan_of(customer_id, scenario).models.values():
                shelf.current(customer_id, model.identifier)
