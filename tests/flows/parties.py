"""A site and its engine: as one installation, or as two with nothing in common but addresses.

Two installations have two ports, two databases and two state folders; the engine's holds no page and no item
of the content layer, the site's no model, no event and no stored item. Only the sites file differs.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import CopyOfDemo
from tests.flows.installation import Installation
from tests.ports import free_port

CUSTOMER, LICENSE_KEY = "10101", "1111-2222-3333-4444-5555"

SITES = """
personalization:
  system:
    site_en:
      languages: [eng-GB]
      host_uri: http://127.0.0.1:{site}
      included_item_types: [place, article, product]
      random_item_types: [article]
      authentication: {{ customer_id: 10101, license_key: 1111-2222-3333-4444-5555 }}
      api:
        admin: {{ endpoint: "http://127.0.0.1:{engine}" }}
        notifier: {{ endpoint: "http://127.0.0.1:{engine}" }}
        recommendation: {{ endpoint: "http://127.0.0.1:{engine}" }}
        event_tracking: {{ endpoint: "http://127.0.0.1:{engine}" }}
"""

WITHOUT_ENGINE = """
from personalization.server.models import ImportRun, Model, StoredItem
from tracking.models import Event
for model in (Event, ImportRun, Model, StoredItem):
    model.objects.all().delete()
"""
WITHOUT_CONTENT = """
from content.models import Item
from personalization.server.models import ImportRun, StoredItem
for model in (Item, ImportRun, StoredItem):
    model.objects.all().delete()
"""


@dataclass(frozen=True)
class Parties:
    """Who speaks to whom. ``site`` and ``engine`` are the same where there is one installation."""

    site: Installation
    engine: Installation

    @contextmanager
    def serving(self) -> Iterator[None]:
        if self.site is self.engine:
            with self.site.serving():
                yield
            return
        with self.site.serving(), self.engine.serving():
            yield


def together(copy_of_demo: CopyOfDemo) -> Parties:
    """The demo as it is."""
    both = copy_of_demo("both")
    return Parties(both, both)


def apart(copy_of_demo: CopyOfDemo, folder: Path) -> Parties:
    """The demo's site without an engine of its own, and an engine that knows only its events."""
    ports = {"site": free_port(), "engine": free_port()}
    sites_file = folder / "sites.yaml"
    sites_file.write_text(SITES.format(**ports))
    found = []
    for name, port in ports.items():
        installation = copy_of_demo(name, LODESTAR_SITES_FILE=str(sites_file))
        installation.port = port
        found.append(installation)
    site, engine = found
    for built in ("models", "lake", "export"):
        shutil.rmtree(site.var_dir / built)
    (site.var_dir / "secret_key").write_text(secrets.token_urlsafe(64))
    site.python(WITHOUT_ENGINE)
    engine.python(WITHOUT_CONTENT)
    return Parties(site, engine)
