"""What a page of the demo asks the databases for, recommendations included."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.flows.installation import ROOT, Installation

MOST = 15
# Scenarios and items in memory are looked after once a second; the best of five leaves that out.
COUNT = """
import json, sys, django
django.setup()
from contextlib import ExitStack
from django.db import connections
from django.test import Client
from config.wsgi import application

def count(execute, sql, params, many, context):
    asked.append(sql)
    return execute(sql, params, many, context)

found = {}
for path in sys.argv[1:]:
    client = Client(headers={"host": "localhost"})
    counts = []
    for _ in range(6):
        asked = []
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(count))
            answer = client.get(path)
        assert answer.status_code == 200, path
        counts.append(len(asked))
    found[path] = [min(counts), answer.content.decode()]
print(json.dumps(found))
"""
PATHS = (
    "/",
    "/fr/",
    "/places-tastes/",
    "/places-tastes/places/",
    "/places-tastes/places/asia/kochin-india/",
    "/shop/luggage/fell-40-trekking-pack/",
)


@pytest.fixture(scope="module")
def asked(demo_build: Installation) -> dict[str, tuple[int, str]]:
    """Of each page: its fewest queries, and what it shows."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT, *PATHS],
        cwd=ROOT,
        env=demo_build.env() | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, tuple[int, str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("path", PATHS)
def test_it_needs_few_queries_for_a_whole_page(path: str, asked: dict[str, tuple[int, str]]) -> None:
    queries, html = asked[path]
    assert 'data-source="engine"' in html
    assert queries <= MOST
