"""Publishing while the engine is up, slow, down or hostile: ``python -m tests.benchmarks publish``.

Four installations, alike but for their engine, are served by the shipped ``manage.py serve``, web and worker.
An editor publishes a page in each in turn by the form of the back office, commit included, round after round;
who goes first changes every round. Printed are the milliseconds of that request. Goal: the p95s differ by
less than 20 ms.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from tests.flows.installation import Installation

STATES = ("up", "slow", "down", "hostile")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "200"))
WARM_UP = 10
PLACES = 100
GOAL_MS = 20.0
PASSWORD = "benchmark-only-password"  # noqa: S105 - of an installation that is gone afterwards
SETTINGS = {"LODESTAR_DEBUG": "0", "COOKIES_SECURE": "0", "SECRET_KEY": "benchmark-only-" * 4}
SITES = """
personalization:
  system:
    site_en:
      languages: [eng-GB]
      host_uri: http://127.0.0.1:1
      included_item_types: [place]
      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}
      api: {{ notifier: {{ endpoint: "http://127.0.0.1:{port}" }} }}
"""
BUILD = f"""
from django.contrib.auth import get_user_model
from tests.benchmarks.places import build
print(*build({PLACES}))
get_user_model().objects.create_superuser("ana", password="{PASSWORD}")
"""
MESSAGES = """
from config.jobs.models import Outbox
rows = Outbox.objects.values_list("state", "attempts")
states = [state for state, _ in rows]
told = [f"{states.count(state)} {state}" for state in sorted(set(states))]
print(", ".join([*told, f"{sum(tries for _, tries in rows)} tries"]))
"""


class Editor:
    """Somebody logged in to the back office of one installation."""

    def __init__(self, installation: Installation) -> None:
        self.base = f"{installation.base}/admin"
        self.session = requests.Session()
        self.session.get(f"{self.base}/login/", timeout=60)
        self._post("/login/", {"username": "ana", "password": PASSWORD})

    def publish(self, page: int, *, slug: str, title: str) -> float:
        """Change a page's title and texts and publish it; return the milliseconds of the request."""
        started = time.perf_counter()
        self._post(f"/pages/{page}/edit/", form(slug=slug, title=title))
        return (time.perf_counter() - started) * 1000

    def _post(self, path: str, fields: dict[str, str]) -> None:
        fields = fields | {"csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        answer = self.session.post(self.base + path, data=fields, allow_redirects=False, timeout=120)
        assert answer.status_code == 302, f"{path} answered {answer.status_code}: {answer.text[:2000]}"


def form(*, slug: str, title: str) -> dict[str, str]:
    """What the browser sends of a place's form."""
    texts = {name: draft(f"About {title}.") for name in ("intro", "description", "caption")}
    fields = {"title": title, "slug": slug, "rating": "3", "publication_date": "2026-01-02 03:04"}
    comments = {f"comments-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    return fields | texts | comments | {"action-publish": "1"}


def draft(text: str) -> str:
    block = {"key": "00000", "text": text, "type": "unstyled", "depth": 0}
    block |= {"inlineStyleRanges": [], "entityRanges": []}
    return json.dumps({"blocks": [block], "entityMap": {}})


@contextmanager
def engines() -> Iterator[dict[str, int]]:
    """State -> port."""
    command = [sys.executable, "-m", "tests.benchmarks.engines"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield dict(zip(STATES, map(int, process.stdout.readline().split()), strict=True))
    finally:
        process.terminate()
        process.wait()


def main() -> int:
    with (
        tempfile.TemporaryDirectory(prefix="lodestar-bench-") as folder,
        engines() as ports,
        ExitStack() as up,
    ):
        pages, installations = prepared(Path(folder), ports)
        for installation in installations.values():
            up.enter_context(installation.serving())
        waited = measured(pages, {state: Editor(one) for state, one in installations.items()})
        messages = {state: one.python(MESSAGES).strip() for state, one in installations.items()}
    return report(waited, messages)


def prepared(folder: Path, ports: dict[str, int]) -> tuple[list[int], dict[str, Installation]]:
    """One installation with places and an editor, copied once for every engine."""
    (folder / "first").mkdir()
    (folder / "first/sites.yaml").write_text(SITES.format(port=ports["down"]))
    first = installed(folder / "first")
    first.manage("migrate", "--verbosity=0")
    pages = [int(number) for number in first.python(BUILD).split()]
    first.python("from config.jobs.models import Outbox; Outbox.objects.all().delete()")
    found = {}
    for state, port in ports.items():
        shutil.copytree(folder / "first", folder / state)
        (folder / state / "sites.yaml").write_text(SITES.format(port=port))
        found[state] = installed(folder / state)
    return pages, found


def installed(var: Path) -> Installation:
    return Installation(var_dir=var, extra_env=SETTINGS | {"LODESTAR_SITES_FILE": str(var / "sites.yaml")})


def measured(pages: list[int], editors: dict[str, Editor]) -> dict[str, list[float]]:
    waited: dict[str, list[float]] = {state: [] for state in STATES}
    for turn in range(WARM_UP + ROUNDS):
        first, place = turn % len(STATES), turn % len(pages)
        for state in STATES[first:] + STATES[:first]:
            title = f"Place of turn {turn}"
            spent = editors[state].publish(pages[place], slug=f"place-{place}", title=title)
            if turn >= WARM_UP:
                waited[state].append(spent)
    return waited


def report(waited: dict[str, list[float]], messages: dict[str, str]) -> int:
    sys.stdout.write(
        f"{ROUNDS} publications each, in turn, milliseconds\n{'engine':10}{'p50':>8}{'p95':>8}\n"
    )
    highest = {}
    for state, spent in waited.items():
        highest[state] = statistics.quantiles(spent, n=20)[-1]
        sys.stdout.write(
            f"{state:10}{statistics.median(spent):8.1f}{highest[state]:8.1f}   messages: {messages[state]}\n"
        )
    apart = max(highest.values()) - min(highest.values())
    verdict = "met" if apart < GOAL_MS else "MISSED"
    sys.stdout.write(f"The p95s differ by {apart:.1f} ms (goal: less than {GOAL_MS:.0f}) {verdict}\n")
    return int(apart >= GOAL_MS)


if __name__ == "__main__":
    sys.exit(main())
