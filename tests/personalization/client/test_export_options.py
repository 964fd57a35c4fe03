"""The options of `run_export` in all the spellings that the command ever had (reference 2.2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.jobs import queue
from config.jobs.models import Job
from config.spellings import canonical_argv
from personalization.client.models import ExportRun

from .conftest import Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file", "export_root")]

TRIPLE = ("--siteaccess=site_en", "--customer-id=501", "--license-key=1111-aaaa")


def export(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("run_export", *TRIPLE, "--json", *options, stdout=out, stderr=StringIO())
    [outcome] = json.loads(out.getvalue())["exports"]
    found: dict[str, Any] = outcome
    return found


def exported(root: Path) -> list[dict[str, Any]]:
    """The items in all files."""
    chunks = sorted(path for path in root.rglob("*_eng-GB_*"))
    return [item for path in chunks for item in json.loads(path.read_bytes())["contentList"]["content"]]


def test_it_takes_the_numbers_of_types_in_place_of_their_names(
    make_items: Callable[..., None], engine: Engine, export_root: Path
) -> None:
    make_items(2)
    make_items(3, kind="article", start=100)
    assert export("--contentTypeIdList=39, 38", "--pageSize=1")["files"] == 5
    assert export("--contentTypeIdList=39")["items"] == 3


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("--contentTypeIdList=38,x", "String should be a list of Integers"),
        ("--contentTypeIdList=7", "no item type has the number 7. Known: "),
        ("--path=1/2", "--path must be a location path such as /1/2/95/; got '1/2'."),
        ("--path=/1/%/", "--path must be a location path"),
        ("--hidden=yes", "--hidden must be 0 or 1; got 'yes'."),
        ("--page=0", "--page must be a whole number from 1"),
        ("--image=teazer", "Did you mean 'teaser'?"),
        ("--fields=" + ",".join(f"f{n}" for n in range(201)), "--fields takes at most 200 names; got 201."),
    ],
)
def test_it_refuses_a_wrong_value_and_begins_nothing(
    wrong: str, sentence: str, settings: Any, engine: Engine
) -> None:
    settings.IMAGE_VARIATIONS = {"teaser": "fill-400x300"}
    with pytest.raises(CommandError) as refused:
        export(wrong)
    assert sentence in str(refused.value)
    assert refused.value.returncode == 2
    assert not ExportRun.objects.exists()
    assert not engine.received


def test_it_exports_a_subtree_and_says_what_the_engine_makes_of_it(
    make_items: Callable[..., None], engine: Engine, export_root: Path
) -> None:
    make_items(12)
    outcome = export("--path=/1/2/1/")
    assert [item["contentId"] for item in exported(export_root)] == [1]
    assert (outcome["items"], outcome["groups"]) == (1, [{"name": "place_eng-GB", "items": 1}])
    assert "it forgets the other items of these types" in outcome["warnings"][0]


def test_it_exports_only_the_fields_that_were_asked_for(
    make_items: Callable[..., None], engine: Engine, export_root: Path
) -> None:
    make_items(1)
    export("--fields=name, nothing")
    [item] = exported(export_root)
    assert list(item)[-1] == "name"
    assert "intro" not in item
    assert item["categoryPath"] == "/1/2/1/"


def test_it_takes_dashes_as_manuals_print_them() -> None:
    given = ["manage.py", "ibexa:personalization:run-export", "-—languages=eng-GB", "—page-size=5", "–json"]
    assert canonical_argv(given) == [
        "manage.py",
        "run_export",
        "--languages=eng-GB",
        "--page-size=5",
        "--json",
    ]
    assert canonical_argv(["manage.py", "find_items", "a — b"]) == ["manage.py", "find_items", "a — b"]


def test_it_leaves_the_work_to_a_worker_who_does_the_same(
    make_items: Callable[..., None], engine: Engine, export_root: Path
) -> None:
    make_items(3)
    outcome = export("--queue")
    assert (outcome["state"], outcome["items"], outcome["exit_code"]) == ("queued", 3, 0)
    assert not engine.received

    with pytest.raises(CommandError, match="already running") as refused:
        export()
    assert refused.value.returncode == 4

    assert queue.run_due(kinds=["export"]) == 1
    run = ExportRun.objects.get(job_id=outcome["job"])
    assert (run.phase, run.items, run.engine_status) == ("done", 3, 202)
    assert len(exported(export_root)) == 3


def test_it_says_who_takes_up_what_was_queued(make_items: Callable[..., None], engine: Engine) -> None:
    make_items(3)
    out = StringIO()
    call_command("run_export", *TRIPLE, "--queue", stdout=out)
    job = Job.objects.get(kind="export")
    assert f"Queued the export of 3 items for customer 501 (site_en) as job #{job.pk}." in out.getvalue()
    assert "manage.py work" in out.getvalue()
