"""docs/tutorial.md, done as it says."""

from __future__ import annotations

import re

import pytest
import requests

from tests.flows.installation import ROOT, Installation

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # the first of these tests builds a demo

TUTORIAL = (ROOT / "docs/tutorial.md").read_text()
BASE = "http://localhost:8000"


def test_its_pages_to_open_exist_under_their_titles(demo: Installation) -> None:
    links = re.findall(rf"\[([^\]]+)\]\({BASE}(/[^)]+)\)", TUTORIAL)
    assert len(links) == 3
    for title, path in links:
        answer = requests.get(demo.base + path, timeout=60)
        assert (answer.status_code, f"<h1>{' '.join(title.split())}</h1>" in answer.text) == (200, True), path


def test_its_calls_are_answered_as_it_says(demo: Installation) -> None:
    key = ("10101", "1111-2222-3333-4444-5555")
    calls = re.findall(rf'^curl (.*?)"?{BASE}(/[^"\s]+)"?$', TUTORIAL, re.MULTILINE)
    answers = [
        requests.get(demo.base + path, auth=key if "-u" in options else None, timeout=60)
        for options, path in calls
    ]
    popular, item, click = answers
    assert [answer.status_code for answer in answers] == [200, 200, 204]
    assert len(popular.json()["recommendationItems"]) == 3
    assert "<categorypath>1/3/4/5/8/50</categorypath>" in item.text
    assert "Banff, Canada" in item.text
    assert "categorypath=%2F1%2F3%2F4%2F5%2F8%2F" in click.url
