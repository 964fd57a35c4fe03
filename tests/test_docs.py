"""The documentation is held to the code."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.core.management import get_commands, load_command_class

from config import site_access
from config.spellings import ALIASES
from personalization.jinja2 import PersonalizationExtension
from tracking.events import RULES
from tracking.openapi.page import page as written

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
OURS = {
    "lodestar",
    "config",
    "content",
    "tracking",
    "personalization",
    "cdp",
    "config.jobs",
    "config.customers",
}


def text(name: str) -> str:
    return (DOCS / name).read_text()


def test_it_describes_every_command() -> None:
    ours = {name for name, app in get_commands().items() if str(app) in OURS}
    assert {"demo", "serve", "run_export", "collect", "rebuild_items"} <= ours
    assert [name for name in sorted(ours) if f"`{name}" not in text("commands.md")] == []


def test_it_names_only_commands_and_options_that_exist() -> None:
    known = {*get_commands(), *ALIASES}
    for page in (ROOT / "README.md", *DOCS.glob("*.md")):
        named = re.findall(r"manage\.py ([a-z][\w:-]+)", page.read_text())
        assert [name for name in named if name not in known] == [], page.name
    options = {
        option
        for action in load_command_class("personalization", "run_export").create_parser("", "")._actions
        for option in action.option_strings
    }
    section = text("commands.md").partition("## Options of run_export")[2].partition("\n## ")[0]
    told = re.findall(r"--[a-z][A-Za-z-]+", section)
    assert "--customer-id" in told
    assert [option for option in told if option not in options] == []


def named_tests(page: str) -> list[tuple[str, str]]:
    return re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text(page))


@pytest.mark.parametrize("page", ["checklist.md", "reliability.md"])
def test_it_names_only_tests_that_exist(page: str) -> None:
    named = named_tests(page)
    assert len(named) > 20
    sources = {path: (ROOT / path).read_text() for path, _ in named if (ROOT / path).is_file()}
    missing = [one for one in named if one[0] not in sources or f"def {one[1]}" not in sources[one[0]]]
    assert missing == []


def test_its_checklist_is_complete_and_says_what_is_missing() -> None:
    rows = re.findall(r"^\| (\d+) \| .+? \| ([\w ]+) \| (.+) \|$", text("checklist.md"), re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, 76))
    for number, state, cell in rows:
        assert state in {"held", "partly", "left to Wagtail", "not yet"}, number
        assert "`tests/" in cell if state == "held" else re.sub(r"`tests/\S+`[,;]?", "", cell).strip(), number
    said = dict(re.findall(r"\*\*([A-Z][\w ]+)\*\*[^:*]*: (\d+)", text("checklist.md")))
    states = [state for _, state, _ in rows]
    assert {name.lower(): int(count) for name, count in said.items()} == {
        name.lower(): states.count(name) for name in set(states)
    }


def test_every_hook_that_it_names_can_be_imported() -> None:
    named = re.findall(r"`((?:config|content|tracking|personalization|cdp)(?:\.\w+)+)`", text("hooks.md"))
    assert len(named) > 40
    for name in named:
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute), name


def test_it_names_the_apps_that_a_site_may_not_have() -> None:
    ours = {one.label for one in apps.get_app_configs() if one.name.partition(".")[0] in OURS}
    assert len(ours) > 10
    assert [label for label in sorted(ours) if f"`{label}`" not in text("existing-site.md")] == []


def test_its_python_can_be_read() -> None:
    for page in DOCS.glob("*.md"):
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            compile(block, page.name, "exec")


@pytest.mark.parametrize(
    "page", ["README.md", "docs/production.md", "docs/own-site.md", "docs/django-shop.md"]
)
def test_it_says_how_to_reach_the_back_office_first(page: str) -> None:
    words = (ROOT / page).read_text()
    assert "createsuperuser" in words
    assert "http://localhost:8000/admin/" in words
    assert "Welcome to your new Wagtail site!" in words or page in {
        "docs/production.md",
        "docs/django-shop.md",
    }


def test_it_describes_every_event_and_parameter() -> None:
    page = text("events.md")
    assert page == written(), "run: manage.py openapi tracking --format markdown --output docs/events.md"
    for code, rule in RULES.items():
        row = next((line for line in page.splitlines() if line.startswith(f"| `{code}` |")), "")
        assert row, code
        assert [p.name for p in rule.parameters if f"`{p.name}`" not in row] == [], code


def test_its_web_server_in_front_hands_every_event_to_the_collector() -> None:
    location = re.search(
        r"location ~ (\S+) \{\n\s+proxy_pass http://127.0.0.1:8001;", text("deploy/nginx.conf")
    )
    assert location
    pattern = re.compile(location.group(1))
    assert [code for code in RULES if not pattern.match(f"/api/10101/{code}/user/38/1")] == []
    assert pattern.match("/api/10101/events")
    for path in (
        "v2/10101/user/front.json",
        "10101/items",
        "10101/item/38/1",
        "ibexa/v2/personalization/v1/",
    ):
        assert not pattern.match(f"/api/{path}"), path


def test_it_describes_every_variable() -> None:
    variables = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(variables) > 20
    assert [name for name in variables if f"`{name}`" not in text("settings.md")] == []


def test_it_describes_every_template_function() -> None:
    from jinja2 import Environment

    plain = set(Environment().globals)  # noqa: S701 - nothing is rendered
    ours = set(Environment(extensions=[PersonalizationExtension]).globals) - plain  # noqa: S701
    assert "track_user" in ours
    assert [name for name in sorted(ours) if f"`{name}(" not in text("templates.md")] == []


def test_it_describes_every_command_and_attribute_of_the_tracker() -> None:
    source = (ROOT / "static/lodestar/tracker.js").read_text()
    commands = re.findall(r"^\t(_\w+)\(", source, re.MULTILINE)
    assert {"_setMandator", "_trackEvent", "_trackTimedEvent", "_login"} <= set(commands)
    attributes = {*re.findall(r"\[(data-[a-z-]+)", source), "data-customer", "data-consent", "data-endpoint"}
    page = text("tracker.md")
    assert [name for name in (*commands, *attributes) if f"`{name}`" not in page] == []
    assert set(re.findall(r"^\| `(_\w+)`", page, re.MULTILINE)) <= set(commands)


@pytest.mark.parametrize(
    ("page", "customer"),
    [
        ("settings.md", 4711),
        ("migrate-from-ibexa.md", 4711),
        ("existing-site.md", 20001),
        ("django-shop.md", 20002),
    ],
)
def test_its_example_of_a_sites_file_is_a_valid_one(
    page: str, customer: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    example = re.search(r"```yaml\n(.*?)```", text(page), re.DOTALL)
    assert example
    path = tmp_path / "sites.yaml"
    path.write_text(example.group(1))
    monkeypatch.setenv("PERSONALIZATION_CUSTOMER_ID", "4711")
    monkeypatch.setenv("PERSONALIZATION_LICENSE_KEY", "1-2-3")
    monkeypatch.setenv("PERSONALIZATION_HOST_URI", "https://www.example.org")
    settings.LODESTAR_SITES_FILE = path
    site_access.reload()
    sites = site_access.configured_sites()
    site_access.reload()
    assert [(site.customer_id, site.languages) for site in sites] == [(customer, ("eng-GB",))]


def test_its_pages_are_all_in_the_table_of_contents() -> None:
    groups: dict[str, Any] = {}
    for entry in yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]:
        groups |= entry
    assert list(groups) == ["Home", "Tutorial", "How-to guides", "Reference", "Explanation"]
    pages = [page for group in list(groups.values())[1:] for entry in group for page in entry.values()]
    assert sorted([groups["Home"], *pages]) == sorted(path.name for path in DOCS.glob("*.md"))


def test_it_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--quiet",
            "--site-dir",
            str(tmp_path / "site"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
