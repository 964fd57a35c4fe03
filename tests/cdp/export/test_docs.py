"""The page docs/cdp-export.md is held to the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import Group, User
from django.core.management import load_command_class

from cdp import configuration, export
from config import site_access
from config.spellings import canonical_argv
from content.items.kinds import KINDS
from content.models import PlacePage
from tests.cdp.export.conftest import Receiver, run
from tests.cdp.export.test_items import magazine, place

__all__ = ["magazine", "place"]
PAGE = (Path(__file__).resolve().parents[3] / "docs/cdp-export.md").read_text()


@pytest.mark.django_db
@pytest.mark.usefixtures("sites", "processors")
def test_its_hooks_do_what_it_says(receiver: Receiver, place: PlacePage) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {})  # noqa: S102 - our own page
    acme = Group.objects.create(name="Acme")
    User.objects.create(username="ben", is_staff=True).groups.add(acme)
    User.objects.create(username="away", is_active=False)
    User.objects.create(username="cid")
    run("stream_user_data", "--no-draft")
    assert [(row["login"], row["companies"], row["has_company"]) for row in receiver.rows] == [
        ("ben", ["Acme"], True),
        ("cid", [], False),
    ]
    assert "T" in receiver.rows[0]["date_joined"]
    receiver.stored.clear()
    run("stream_user_data", "--user-content-type=editor")
    assert [row["login"] for row in receiver.rows] == ["ben"]
    receiver.stored.clear()
    run("stream_content_data", "--content-type=place")
    [row] = receiver.rows
    assert row["field_latitude_hemisphere"] == "north"
    assert "field_latitude_value" not in row
    assert "field_intro_value" not in row
    assert row["field_image_value"] == ""


def test_its_examples_of_a_sites_file_are_good(tmp_path: Path, settings: Any) -> None:
    site, schedule = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "sites.yaml"
    path.write_text(site + schedule)
    assert set(yaml.safe_load(path.read_text())) == {"personalization", "ibexa_cdp"}
    settings.LODESTAR_SITES_FILE = path
    site_access.reload()
    found = configuration.current()
    assert (found.faults, [one.section for one in found.schedule]) == ((), ["user", "content", "product"])
    assert found.sites["site_en"].stream_of("user")


@pytest.mark.parametrize("kind", ["user", "product", "content"])
def test_it_describes_every_option(kind: str) -> None:
    parser = load_command_class("cdp", f"stream_{kind}_data").create_parser("", "")
    django = {
        "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color",
        "--force-color", "--skip-checks",
    }  # fmt: skip
    options = {option for action in parser._actions for option in action.option_strings if option[:2] == "--"}
    assert [one for one in sorted(options - django) if one not in PAGE] == []


def test_it_names_every_hook_and_type_of_field() -> None:
    assert [
        one for one in export.__all__ if one != "Field" and f"{one}(" not in PAGE and f"`{one}`" not in PAGE
    ] == []
    assert [one for one in KINDS.values() if f"`{one}`" not in PAGE] == []


@pytest.mark.parametrize("spelling", ["stream-user-data", "ibexa:cdp:stream-user-data"])
def test_it_understands_the_documented_spellings(spelling: str) -> None:
    argv = canonical_argv(["manage.py", spelling, "-vv", "--draft"])
    assert argv == ["manage.py", "stream_user_data", "--verbosity=2", "--draft"]
