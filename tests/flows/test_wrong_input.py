"""Wrong input at commands and configuration: one clear sentence, the documented code, nothing half done."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.environ import of_its_own

ROOT = Path(__file__).resolve().parents[2]
# Each case is a process of its own and takes seconds.
pytestmark = pytest.mark.chaos
WRONG_USE, FAILED = 2, 1
BROKEN = "personalization:\n  system:\n    a: [1\n    b: 2\n"
UNSET = """personalization:
  system:
    a:
      languages: [eng-GB]
      authentication: {customer_id: '%env(int:NOT_SET_ANYWHERE)%', license_key: abc}
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    command: str
    says: str
    code: int = WRONG_USE
    env: dict[str, str] = field(default_factory=dict)
    sites: str = ""


CASES = {
    "unknown site": Case(command="run_export --siteaccess nosuch", says="Known are: site_en, site_fr."),
    "key of another customer": Case(
        command="run_export --siteaccess site_en --customer-id 10101 --license-key 5555-4444-3333-2222-1111",
        says="does not belong to customer 10101",
    ),
    "broken YAML": Case(command="run_export", sites=BROKEN, says="sites.yaml, line 4, column 6"),
    "broken YAML at the start": Case(command="serve --port 9911", sites=BROKEN, says="line 4, column 6"),
    "missing variable": Case(command="run_export", sites=UNSET, says="NOT_SET_ANYWHERE is not set"),
    "no tables": Case(command="run_export", says="Run `python manage.py migrate`"),
    "no tables to serve": Case(command="serve --port 9912", says="no tables yet. Run `python manage.py migr"),
    "state below a file": Case(
        command="migrate", env={"LODESTAR_VAR_DIR": "/proc/none"}, says="point LODESTAR_VAR_DIR at another"
    ),
    "no database address": Case(
        command="migrate", env={"DATABASE_URL": "nonsense"}, says="DATABASE_URL must begin with"
    ),
    "half a database address": Case(
        command="migrate", env={"DATABASE_URL": "postgres://a:b@h:port/x"}, says="DATABASE_URL is not an"
    ),
    "database away": Case(
        command="run_export",
        env={"DATABASE_URL": "postgres://nobody:geheim@127.0.0.1:1/x"},
        says="The database cannot be used",
        code=FAILED,
    ),
    "no broker address": Case(command="check", env={"REDIS_URL": "x"}, says="REDIS_URL must begin with"),
    "port in words": Case(command="check", env={"LODESTAR_PORT": "abc"}, says="LODESTAR_PORT must be"),
    "port too high": Case(command="check", env={"LODESTAR_PORT": "70000"}, says="got 70000."),
    "port 0": Case(command="serve --port 0", says="a port is a whole number from 1 to 65535; got '0'."),
    "port of the demo": Case(command="demo --port 99999", says="1 to 65535; got '99999'."),
    "log level": Case(command="check", env={"LODESTAR_LOG_LEVEL": "LOUD"}, says="got 'LOUD'."),
    "log file": Case(
        command="check",
        env={"LODESTAR_LOG_FILES": "personalization=/proc/none/x"},
        says="LODESTAR_LOG_FILES: /proc/none/x cannot be written",
    ),
    "item type": Case(command="rebuild_items --type nosuch", says="known are article, place, product"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_it_says_what_is_wrong_in_one_sentence(case: Case, tmp_path: Path) -> None:
    env = of_its_own(LODESTAR_VAR_DIR=str(tmp_path))
    if case.sites:
        (tmp_path / "sites.yaml").write_text(case.sites)
        env["LODESTAR_SITES_FILE"] = str(tmp_path / "sites.yaml")
    done = subprocess.run(
        [sys.executable, "manage.py", *case.command.split()],
        env=env | case.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert case.says in done.stderr
    assert done.returncode == case.code
    assert "Traceback" not in done.stderr + done.stdout
    assert "geheim" not in done.stderr
    sentences = [line for line in done.stderr.splitlines() if not line.startswith((" ", "usage:"))]
    assert len(sentences) == 1
    assert not (tmp_path / "export").exists()
