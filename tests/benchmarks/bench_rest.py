"""The list of 100 items that the engine fetches: ``python -m tests.benchmarks rest``. Needs wrk.

Serves 100 places with the shipped ``manage.py serve``, default settings outside development, and asks with
wrk for ``content/list/<100 ids>`` as JSON, with a bearer token and with the export login. Marks in the same
server, in rounds that alternate: a view that answers the same bytes from memory (goal: at least 0.7 of it),
and a list of Django REST framework, a ModelSerializer over the same 100 pages (goal: at least 5 times it).
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import requests

from tests.flows.installation import Installation

ITEMS = 100
SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
CONNECTIONS = 4  # as many as the server has threads: waiting in a queue is not what is measured
GOAL_SAME_BYTES = 0.7
GOAL_DRF = 5.0
LIST = "/api/ibexa/v2/personalization/v1/content/list/"
LOGIN = "engine:benchmark-only"
SITES = """
personalization:
  system:
    site_en:
      languages: [eng-GB]
      included_item_types: [place]
      authentication: { customer_id: 501, license_key: 1111-aaaa }
      export: { authentication: { method: user, login: engine, password: benchmark-only } }
"""
PLACES = f"""
from content.models import Item
from tests.benchmarks.places import build
build({ITEMS})
print(",".join(str(number) for number in Item.objects.values_list("content_id", flat=True)))
"""
TOKEN = "from personalization.client import tokens; print(tokens.mint(501))"
PRODUCTION = {"LODESTAR_DEBUG": "0", "SECRET_KEY": "benchmark-only-" * 4}


class Case(NamedTuple):
    """An address of the server and the credentials it is asked with."""

    path: str
    authorization: str


def main() -> int:
    """Print a line for each case; 1 when a goal is missed."""
    if not shutil.which("wrk"):
        sys.stderr.write("Install wrk (Debian package wrk) for this benchmark.\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="lodestar-bench-") as folder:
        installation, cases = prepared(Path(folder))
        with installation.serving():
            rounds = [measured(installation, cases) for _ in range(ROUNDS)]
    return report({name: statistics.median(one[name] for one in rounds) for name in cases})


def prepared(var: Path) -> tuple[Installation, dict[str, Case]]:
    """An installation with the items; the mark's bytes are what it answered once."""
    sites, body = var / "sites.yaml", var / "body.json"
    sites.write_text(SITES)
    body.touch()
    installation = Installation(var_dir=var, extra_env={"LODESTAR_SITES_FILE": str(sites)} | PRODUCTION)
    installation.manage("migrate", "--verbosity=0")
    ids = installation.python(PLACES).split()[-1]
    token = installation.python(TOKEN).split()[-1]
    login = base64.b64encode(LOGIN.encode()).decode()
    installation.extra_env |= {"LODESTAR_URLS": "tests.benchmarks.rest_views", "BENCH_BODY": str(body)}
    cases = {
        "bearer token": Case(LIST + ids, f"Bearer {token}"),
        "export login": Case(LIST + ids, f"Basic {login}"),
        "same bytes": Case("/bench/same-bytes", f"Bearer {token}"),
        "ModelSerializer": Case("/bench/drf", f"Bearer {token}"),
    }
    with installation.serving():
        body.write_bytes(asked(installation, cases["bearer token"]))
    return installation, cases


def asked(installation: Installation, case: Case) -> bytes:
    answer = requests.get(
        installation.base + case.path, headers={"Authorization": case.authorization}, timeout=60
    )
    assert answer.status_code == 200, f"{case.path} answered {answer.status_code}: {answer.text[:300]}"
    assert len(answer.content) > ITEMS * 500, f"{case.path} answered only {len(answer.content)} bytes"
    return answer.content


def measured(installation: Installation, cases: Mapping[str, Case]) -> dict[str, float]:
    rates = {}
    for name, case in cases.items():
        asked(installation, case)
        rates[name] = rate(installation.base + case.path, authorization=case.authorization)
    return rates


def rate(url: str, *, authorization: str) -> float:
    """Answers per second; fails on any that is not 2xx."""
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--timeout", "30s"]
    command += ["-H", f"Authorization: {authorization}", "-H", "Accept: application/json", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    found = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    assert found, said
    return float(found[1])


def report(rates: Mapping[str, float]) -> int:
    for name, value in rates.items():
        sys.stdout.write(f"{name:18}{value:10,.0f}/s\n")
    missed = False
    for name in ("bearer token", "export login"):
        for mark, goal in (("same bytes", GOAL_SAME_BYTES), ("ModelSerializer", GOAL_DRF)):
            ratio = rates[name] / rates[mark]
            missed |= ratio < goal
            verdict = "met" if ratio >= goal else "MISSED"
            sys.stdout.write(f"{name} to {mark}: {ratio:.2f} (goal {goal:g}) {verdict}\n")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
