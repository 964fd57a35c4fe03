"""A site and its engine on two machines: the engine goes away and comes back ...

Two state folders, two ports; only the sites file names the engine's address.
"""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.conftest import CopyOfDemo
from tests.flows.installation import Installation, eventually
from tests.flows.parties import Parties, apart

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

BLOCK = re.compile(r'data-scenario="(\w+)" data-source="(\w+)"')
LINK = re.compile(r'data-recommendation-(?:ping|rendered)-api="([^"]+)"')
# After five failures in a row a site leaves its engine alone for half a minute.
RETURN_SECONDS = 90


@pytest.fixture
def pair(copy_of_demo: CopyOfDemo, tmp_path: Path) -> Parties:
    return apart(copy_of_demo, tmp_path)


def front_page(site: Installation) -> tuple[list[tuple[str, str]], list[str]]:
    """Its blocks as (scenario, source), and the feedback links in them."""
    answer = requests.get(site.base + "/", timeout=60, cookies={"lodestar_visitor": str(uuid4())})
    assert answer.status_code == 200
    return BLOCK.findall(answer.text), LINK.findall(answer.text)


def sources(site: Installation) -> set[str]:
    return {source for _scenario, source in front_page(site)[0]}


def test_it_recommends_from_afar_and_outlives_an_outage(pair: Parties) -> None:
    site, engine = pair.site, pair.engine
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
