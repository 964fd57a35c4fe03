"""A site and its engine on two machines: the engine goes away and comes back ...

Two state folders, two ports; only the sites file names the engine's address.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.conftest import CopyOfDemo
from tests.flows.installation import Installation, eventually, free_port

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

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
BLOCK = re.compile(r'data-scenario="(\w+)" data-source="(\w+)"')
LINK = re.compile(r'data-recommendation-(?:ping|rendered)-api="([^"]+)"')
# After five failures in a row a site leaves its engine alone for half a minute.
RETURN_SECONDS = 90


@pytest.fixture
def pair(copy_of_demo: CopyOfDemo, tmp_path: Path) -> tuple[Installation, Installation]:
    """The demo's site without an engine of its own, and an engine that knows only its events."""
    ports = {"site": free_port(), "engine": free_port()}
    sites_file = tmp_path / "sites.yaml"
    sites_file.write_text(SITES.format(**ports))
    found = []
    for name, port in ports.items():
        installation = copy_of_demo(name, LODESTAR_SITES_FILE=str(sites_file))
        installation.port = port
        found.append(installation)
    site, engine = found
    for folder in ("models", "lake", "export"):
        shutil.rmtree(site.var_dir / folder)
    site.python("from tracking.models import Event; Event.objects.all().delete()")
    site.python("from personalization.server.models import StoredItem; StoredItem.objects.all().delete()")
    engine.python("from personalization.server.models import StoredItem; StoredItem.objects.all().delete()")
    engine.python("from content.models import Item; Item.objects.all().delete()")
    return site, engine


def front_page(site: Installation) -> tuple[list[tuple[str, str]], list[str]]:
    """Its blocks as (scenario, source), and the feedback links in them."""
    answer = requests.get(site.base + "/", timeout=60, cookies={"lodestar_visitor": str(uuid4())})
    assert answer.status_code == 200
    return BLOCK.findall(answer.text), LINK.findall(answer.text)


def sources(site: Installation) -> set[str]:
    return {source for _scenario, source in front_page(site)[0]}


def test_it_recommends_from_afar_and_outlives_an_outage(pair: tuple[Installation, Installation]) -> None:
    site, engine = pair
    with site.serving():
        with engine.serving():
            site.manage("run_export")
            eventually(lambda: sources(site) == {"engine"}, seconds=90, what="recommendations from afar")
            _blocks, links = front_page(site)
            assert links
            for link in links:
                assert re.match(rf"(http:)?//127\.0\.0\.1:{engine.port}/api/10101/(click|rendered)", link)
            seen = links[-1] if links[-1].startswith("http") else f"http:{links[-1]}"
            assert requests.get(seen.replace("&amp;", "&"), timeout=60).status_code == 204

        for _ in range(4):
            assert sources(site) == {"fallback"}

        with engine.serving():
            eventually(
                lambda: sources(site) == {"engine"}, seconds=RETURN_SECONDS, what="the engine's return"
            )
