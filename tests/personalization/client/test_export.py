"""The full export: files, manifest, one notification, and everything that can go wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client

from config.jobs import lease, outbox, queue
from config.jobs.models import Job
from config.jobs.models import Outbox as OutboxRow
from personalization.client.export import files
from personalization.client.models import ExportRun

from .conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file", "export_root")]

TRIPLE = ("--siteaccess=site_en", "--customer-id=501", "--license-key=1111-aaaa")


def export(*options: str) -> str:
    out = StringIO()
    call_command("run_export", *options, stdout=out, stderr=out)
    return out.getvalue()


def failing(*options: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        export(*options)
    return caught.value


def message_of(*options: str) -> str:
    """The error of an export, "" if it went well."""
    try:
        export(*options)
    except CommandError as error:
        return str(error)
    return ""


def only_folder(root: Path) -> Path:
    [manifest] = root.rglob("manifest.json")
    return manifest.parent


def test_it_writes_pages_a_manifest_and_sends_one_notification(
    make_items: Callable[..., None], engine: Engine, export_root: Path
) -> None:
    make_items(25)
    make_items(3, kind="article", start=100)

    report = export(*TRIPLE, "--page-size=10")

    folder = only_folder(export_root)
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\d\d/\d\d/501-[0-9a-f]{32}", str(folder.relative_to(export_root)))
    assert "Exported 28 items in 4 files" in report
    names = ["article_eng-GB_1", "place_eng-GB_1", "place_eng-GB_2", "place_eng-GB_3"]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "manifest.json", ".htpasswd"])
    ids = []
    for page in (1, 2, 3):
        document = json.loads((folder / f"place_eng-GB_{page}").read_bytes())
        assert list(document["contentList"]) == ["_media-type", "content"]
        ids += [item["contentId"] for item in document["contentList"]["content"]]
    assert ids == list(range(1, 26))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for entry in manifest["files"]:
        data = (folder / entry["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["size"], entry["sha256"])
    assert [entry["items"] for entry in manifest["files"]] == [10, 10, 5, 3]


def test_it_announces_every_page_of_every_group_in_one_post(
    make_items: Callable[..., None], engine: Engine, export_root: Path
) -> None:
    make_items(5)
    make_items(2, kind="article", start=100)

    export(*TRIPLE, "--page-size=2")

    [call] = engine.received
    assert (call.method, call.path) == ("POST", "/api/501/items")
    assert call.headers["Authorization"] == "Basic " + base64.b64encode(b"501:1111-aaaa").decode()
    assert re.fullmatch(r"\d{17}", call.json["transaction"])
    place, article = call.json["events"]
    assert list(place) == [
        "action",
        "format",
        "contentTypeId",
        "contentTypeName",
        "lang",
        "uri",
        "credentials",
    ]
    assert (place["action"], place["contentTypeId"], place["lang"]) == ("FULL", 38, "eng-GB")
    base = f"https://site.example/api/ibexa/v2/personalization/v1/export/download/{only_folder(export_root).relative_to(export_root)}"
    assert place["uri"] == [f"{base}/place_eng-GB_{page}" for page in (1, 2, 3)]
    assert article["uri"] == [f"{base}/article_eng-GB_1"]
    assert set(place["credentials"]) == {"login", "password", "token"}
    run = ExportRun.objects.get()
    assert (run.phase, run.items, run.engine_status) == ("done", 7, 202)
    secrets = {place["credentials"]["password"], place["credentials"]["token"], "1111-aaaa"}
    assert not any(secret in str(vars(run)) for secret in secrets)


def test_it_hands_out_files_to_the_runs_login_and_token_only(
    make_items: Callable[..., None], engine: Engine, client: Client, export_root: Path
) -> None:
    make_items(2)
    export(*TRIPLE)
    event = engine.received[0].json["events"][0]
    path = event["uri"][0].removeprefix("https://site.example")
    given = event["credentials"]
    basic = base64.b64encode(f"{given['login']}:{given['password']}".encode()).decode()

    for header in (f"Basic {basic}", f"Bearer {given['token']}"):
        answer = client.get(path, headers={"Authorization": header})
        assert answer.status_code == 200
        data = b"".join(answer.streaming_content)
        assert data == (only_folder(export_root) / "place_eng-GB_1").read_bytes()
        assert answer["Content-Length"] == str(len(data))
        assert answer["Content-Disposition"] == 'attachment; filename="place_eng-GB_1"'
    wrong = base64.b64encode(f"{given['login']}:nonsense".encode()).decode()
    for headers in ({}, {"Authorization": f"Basic {wrong}"}, {"Authorization": "Bearer pt_x"}):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer


@pytest.mark.parametrize(
    "tail",
    [
        "missing_eng-GB_1",
        "manifest.json",
        "../../../../../../../etc/passwd",
        "..",
        ".tmp-x",
        "a%2fb",
    ],
)
def test_it_answers_404_to_every_other_name(
    tail: str, make_items: Callable[..., None], engine: Engine, client: Client
) -> None:
    make_items(1)
    export(*TRIPLE)
    event = engine.received[0].json["events"][0]
    path = event["uri"][0].removeprefix("https://site.example").rpartition("/")[0]

    answer = client.get(
        f"{path}/{tail}", headers={"Authorization": f"Bearer {event['credentials']['token']}"}
    )

    assert answer.status_code == 404


def test_it_runs_once_per_customer_when_nothing_is_given(
    make_items: Callable[..., None], engine: Engine
) -> None:
    make_items(2)
    make_items(3, language="fre-FR")

    report = json.loads(export("--json"))

    assert [(one["customer"], one["items"], one["state"]) for one in report["exports"]] == [
        (501, 2, "done"),
        (502, 3, "done"),
    ]
    assert [call.path for call in engine.received] == ["/api/501/items", "/api/502/items"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--customer-id=501"], "Required parameters: license-key, siteaccess are missing"),
        (["--siteaccess=site_en"], "Required parameters: customer-id, license-key are missing"),
        (["--customer-id=501"], "Give --siteaccess, --customer-id and --license-key-env together, or none"),
        (["--siteaccess=site_em"], "Did you mean"),
        ([*TRIPLE, "--item-type-identifier-list=plase"], "Did you mean 'place'?"),
        ([*TRIPLE, "--languages=english"], "eng-GB"),
        ([*TRIPLE, "--page-size=0"], "--page-size must be a whole number"),
        ([*TRIPLE, "--page-size=ten"], "--page-size must be a whole number"),
        ([*TRIPLE, "--host=site.example"], "--host must be an http or https address"),
        ([*TRIPLE, "--web-hook=ftp://x"], "--web-hook must be"),
        (["--siteaccess=site_en", "--customer-id=5o1", "--license-key=x"], "--customer-id must be"),
        (["--siteaccess=site_en", "--license-key-env=NO_SUCH_NAME"], "NO_SUCH_NAME"),
        (["--siteaccess=site_en", "--license-key-file=/no/such"], "cannot be read"),
    ],
)
def test_it_refuses_wrong_use_with_exit_code_2(
    options: list[str], sentence: str, engine: Engine, export_root: Path
) -> None:
    error = failing(*options)

    assert sentence in str(error)
    assert error.returncode == 2
    assert not export_root.exists()
    assert not engine.received


def test_it_warns_of_types_that_are_known_but_not_included(
    make_items: Callable[..., None], engine: Engine
) -> None:
    make_items(1)

    report = export(*TRIPLE, "--item-type-identifier-list=place, product")

    assert "Item types: product are not configured as included item types and have been removed" in report
    assert [event["contentTypeId"] for event in engine.received[0].json["events"]] == [38]


def test_it_sends_nothing_when_there_is_nothing(engine: Engine) -> None:
    assert "Nothing to export" in export(*TRIPLE)
    assert not engine.received


def test_it_only_counts_in_a_dry_run(
    make_items: Callable[..., None], engine: Engine, export_root: Path
) -> None:
    make_items(4)

    assert "Would export 4 items" in export(*TRIPLE, "--dry-run")
    assert not export_root.exists()
    assert not engine.received
    assert not ExportRun.objects.exists()


def test_it_uses_the_remote_id_where_the_site_does(
    make_items: Callable[..., None], sites_file: Callable[[str], None], export_root: Path
) -> None:
    from .conftest import SITES

    repository = "      repository: {{ content: {{ use_remote_id: true }} }}\n    site_fr:"
    sites_file(SITES.replace("    site_fr:", repository))
    make_items(2)

    export(*TRIPLE)

    document = json.loads((only_folder(export_root) / "place_eng-GB_1").read_bytes())
    assert [item["contentId"] for item in document["contentList"]["content"]] == ["remote-1", "remote-2"]


def test_it_leaves_another_site_of_the_installation_out(
    make_items: Callable[..., None], export_root: Path, site_id: int
) -> None:
    make_items(2)
    make_items(5, start=50, site=site_id + 999)

    assert "Exported 2 items" in export(*TRIPLE)


def test_it_keeps_the_files_and_sends_again_when_the_engine_fails(
    make_items: Callable[..., None], engine: Engine, export_root: Path, client: Client
) -> None:
    make_items(2)
    engine.status = 500

    error = failing(*TRIPLE)

    assert error.returncode == 1
    assert "answered 500" in str(error)
    assert "sent again" in str(error)
    run = ExportRun.objects.get()
    assert (run.phase, run.engine_status) == ("failed", 500)
    assert only_folder(export_root).is_dir()

    engine.status = 202
    OutboxRow.objects.update(run_after=run.created_at)
    outbox.deliver_due()

    run.refresh_from_db()
    assert (run.phase, run.error) == ("done", "")
    first, second = engine.received
    for call in (first, second):
        # The engine may have taken the first, although we heard nothing of it.
        event = call.json["events"][0]
        given = event["credentials"]
        basic = base64.b64encode(f"{given['login']}:{given['password']}".encode()).decode()
        path = event["uri"][0].removeprefix("https://site.example")
        answer = client.get(path, headers={"Authorization": f"Basic {basic}"})
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content)
    assert first.json["transaction"] == second.json["transaction"]
    assert first.json["events"][0]["uri"] == second.json["events"][0]["uri"]


def test_it_warns_of_a_site_whose_items_the_engine_will_forget(
    make_items: Callable[..., None], sites_file: Callable[[str], None]
) -> None:
    site = apps.get_model("wagtailcore", "Site")
    other = site.objects.create(hostname="second.example", root_page=site.objects.get().root_page)
    entry = "      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}\n"
    sites_file(f"{SITES}    second:\n      root: second.example\n      languages: [eng-GB]\n{entry}")
    make_items(1)
    make_items(1, start=5, site=other.pk)
    assert "forgets their items" not in export()
    said = export(*TRIPLE)
    assert "has the content of second as well" in said
    assert "forgets their items" in said
    assert "--license-key-env" in said
    assert "forgets" not in export("--siteaccess=site_fr", "--customer-id=502", "--license-key=2222-bbbb")


def test_it_does_not_repeat_a_notification_that_was_refused(
    make_items: Callable[..., None], engine: Engine
) -> None:
    make_items(1)
    engine.status = 401

    error = failing(*TRIPLE)

    assert "refused the license key of customer 501 (401)" in str(error)
    assert "1111-aaaa" not in str(error)
    assert not OutboxRow.objects.exists()


def test_it_goes_on_with_the_next_customer_after_a_failure(
    make_items: Callable[..., None], engine: Engine
) -> None:
    make_items(1)
    make_items(1, language="fre-FR")
    engine.status = 403

    assert failing("--quiet").returncode == 1
    assert len(engine.received) == 2


def test_it_says_that_the_disk_is_full_and_publishes_nothing(
    make_items: Callable[..., None], engine: Engine, export_root: Path, settings: Any
) -> None:
    make_items(1)
    settings.DISK_FLOOR_BYTES = 2**60

    error = failing(*TRIPLE)

    assert "disk full" in str(error)
    assert str(export_root) in str(error)
    assert "bytes free" in str(error)
    assert error.returncode == 1
    assert not engine.received
    assert not [path for path in export_root.rglob("*") if path.is_file()]
    settings.DISK_FLOOR_BYTES = 0
    assert "Exported 1 items" in export(*TRIPLE)
    assert ExportRun.objects.filter(phase="done").count() == 1


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_it_ends_done_or_failed_whichever_disk_call_fails(
    call: str, make_items: Callable[..., None], export_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_items(3)
    real = getattr(os, call)
    for failing_call in range(1, 20):
        count = 0

        def sometimes(*args: Any, failing_call: int = failing_call) -> Any:
            nonlocal count
            count += 1
            if count == failing_call:
                raise OSError(28, "No space left on device")
            return real(*args)

        monkeypatch.setattr(os, call, sometimes)
        message = message_of(*TRIPLE, "--page-size=2", "--quiet")
        if not message:
            monkeypatch.undo()
            break
        assert "disk full" in message
        assert not list(export_root.rglob(".tmp-*"))
    assert failing_call > 3
    assert ExportRun.objects.filter(phase="done").count() == 1
    assert len(list(export_root.rglob("manifest.json"))) == 1


def test_it_refuses_a_second_export_of_the_same_customer(
    make_items: Callable[..., None], export_root: Path
) -> None:
    make_items(1)
    job = queue.enqueue("export", {"run": 0}, key="run-0")
    ExportRun.objects.create(customer_id="501", site_name="site_en", folder="x", job_id=job.pk)
    Job.objects.filter(pk=job.pk).update(
        state="running", lease_owner=lease.worker_name(), lease_until="2999-01-01T00:00:00Z"
    )

    error = failing(*TRIPLE)

    assert error.returncode == 4
    assert f"already running, job #{job.pk}" in str(error)


def test_it_takes_over_from_a_process_that_was_killed(make_items: Callable[..., None]) -> None:
    make_items(1)
    dead = lease.worker_name().replace(f"-{os.getpid()}-", "-4194999-")
    job = queue.enqueue("export", {"run": 0}, key="run-0")
    old = ExportRun.objects.create(customer_id="501", site_name="site_en", folder="x", job_id=job.pk)
    Job.objects.filter(pk=job.pk).update(
        state="running", lease_owner=dead, lease_until="2999-01-01T00:00:00Z"
    )

    assert "Exported 1 items" in export(*TRIPLE)
    old.refresh_from_db()
    assert old.phase == "failed"
    assert "ended without finishing" in old.error


def test_it_begins_again_at_the_first_missing_file(
    make_items: Callable[..., None], engine: Engine, export_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_items(7)
    monkeypatch.setattr(files, "refuse_below_floor", full_after(2))
    failing(*TRIPLE, "--page-size=2")
    written = {path.name: path.stat().st_mtime_ns for path in export_root.rglob("place_*")}
    assert len(written) == 2
    assert not engine.received
    monkeypatch.undo()

    Job.objects.update(run_after="2020-01-01T00:00:00Z")
    assert queue.run_due() == 1

    run = ExportRun.objects.get()
    assert (run.phase, run.items) == ("done", 7)
    after = {path.name: path.stat().st_mtime_ns for path in export_root.rglob("place_*")}
    assert len(after) == 4
    assert written.items() <= after.items()
    ids = [
        item["contentId"]
        for page in range(1, 5)
        for item in json.loads((only_folder(export_root) / f"place_eng-GB_{page}").read_bytes())[
            "contentList"
        ]["content"]
    ]
    assert ids == list(range(1, 8))


def full_after(count: int) -> Callable[[Path], None]:
    calls = iter(range(1000))

    def refuse(folder: Path) -> None:
        if next(calls) >= count:
            raise OSError(28, "No space left on device")

    return refuse


def test_it_keeps_a_license_key_that_is_not_in_the_sites_file_sealed(
    make_items: Callable[..., None], engine: Engine
) -> None:
    make_items(1)
    export("--siteaccess=site_en", "--customer-id=777", "--license-key=top-secret")

    assert engine.received[0].path == "/api/777/items"
    assert engine.received[0].headers["Authorization"] == (
        "Basic " + base64.b64encode(b"777:top-secret").decode()
    )
    assert "top-secret" not in json.dumps([ExportRun.objects.get().options, Job.objects.get().payload])
