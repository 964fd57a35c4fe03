"""Many visitors at once, on the demo's own server with default settings ..."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from uuid import uuid4

import pytest
import requests

from tests.flows.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

VISITORS = 64
ROUNDS = 3
# Where every page must show blocks of these scenarios.
PAGES = {
    "/": ["front", "popular"],
    "/fr/": ["front", "popular"],
    "/stories/trails/": ["category"],
    "/places-tastes/places/": ["category"],
    "/shop/clothing/hut-socks/": ["also_bought", "detail"],
}
BLOCK = re.compile(r'data-scenario="(\w+)" data-source="(\w+)"')
OVER_BUDGET = re.compile(r"took (\d+) ms, more than its budget")


@dataclass(frozen=True)
class Load:
    """What one visitor got: blocks as (scenario, source)."""

    path: str
    status: int
    blocks: list[tuple[str, str]]


def all_at_once(base: str, *, number: int) -> list[Load]:
    paths = list(PAGES)
    start = Barrier(VISITORS)

    def load(visitor: int) -> Load:
        path = paths[(visitor + number) % len(paths)]
        start.wait()
        cookies = {"lodestar_visitor": str(uuid4())}
        answer = requests.get(base + path, timeout=120, cookies=cookies)
        return Load(path, answer.status_code, BLOCK.findall(answer.text))

    with ThreadPoolExecutor(VISITORS) as crowd:
        return list(crowd.map(load, range(VISITORS)))


def test_it_serves_64_pages_at_once_from_the_engine(demo: Installation) -> None:
    log = demo.var_dir / "serve.log"
    before = len(log.read_text())

    loads = [load for number in range(ROUNDS) for load in all_at_once(demo.base, number=number)]

    assert {load.status for load in loads} == {200}
    for load in loads:
        assert [scenario for scenario, _source in load.blocks] == PAGES[load.path], load
    said = log.read_text()[before:]
    # The machine may be busy with something else; one call in fifty may meet that, and what it took of the
    # page's budget is what the blocks after it lack.
    late = OVER_BUDGET.findall(said)
    calls = sum(len(load.blocks) for load in loads)
    assert len(late) <= calls / 50, f"{len(late)} of {calls} calls took longer than the budget: {late} ms"
    stood_in = [load for load in loads if any(source != "engine" for _scenario, source in load.blocks)]
    assert len(stood_in) <= len(late), stood_in
    assert "No recommendations" not in said or late
