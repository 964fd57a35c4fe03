"""Cases of reference `client-protocol.md` 9.4: files, lock, credentials."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from config.jobs import lease, queue
from config.jobs.models import Job
from config.site_access import SitesFileError
from personalization.client.export import run as exporting
from personalization.client.export.run import ACTIVE
from personalization.client.models import ExportRun
from tests.personalization.client.conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file", "export_root")]
TRIPLE = ("--siteaccess=site_en", "--customer-id=501", "--license-key=1111-aaaa")


def export(*options: str) -> None:
    call_command("run_export", *TRIPLE, "--quiet", *options, stdout=StringIO(), stderr=StringIO())


def with_method(method: str, login: str = "") -> str:
    node = f"export: {{{{ authentication: {{{{ method: {method}{login} }}}} }}}}"
    return SITES.replace("    default:\n", f"    default:\n      {node}\n")


def basic(login: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{login}:{password}".encode()).decode()}


def status(client: Client, path: str, headers: dict[str, str]) -> int:
    answer = client.get(path, headers=headers)
    if answer.streaming:
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return int(answer.status_code)


@pytest.mark.parametrize(
    ("count", "sizes"), [(1200, [500, 500, 200]), (500, [500]), (501, [500, 1]), (0, [])]
)
def test_it_writes_a_file_for_each_page(
    count: int, sizes: list[int], make_items: Callable[..., None], engine: Engine, export_root: Path
) -> None:
    """Case 9-43."""
    make_items(count)
    export("--page-size=500")
    pages = {
        path.name: len(json.loads(path.read_bytes())["contentList"]["content"])
        for path in export_root.rglob("place_*")
    }
    assert pages == {f"place_eng-GB_{number}": size for number, size in enumerate(sizes, 1)}
    assert len(engine.received) == bool(count)


@pytest.mark.parametrize(
    ("method", "login", "given"),
    [
        ("none", "", (None, None)),
        ("user", ", login: '0001', password: pass", ("0001", "pass")),
        ("basic", "", None),
    ],
)
def test_each_method_makes_its_own_credentials(
    method: str,
    login: str,
    given: tuple[str | None, str | None] | None,
    make_items: Callable[..., None],
    engine: Engine,
    export_root: Path,
    sites_file: Callable[[str], None],
) -> None:
    """Case 9-47."""
    sites_file(with_method(method, login))
    make_items(1)
    export()
    told = engine.received[0].json["events"][0]["credentials"]
    kept = list(export_root.rglob(".htpasswd"))
    if given:
        assert (told["login"], told["password"], kept) == (*given, [])
    else:
        [file] = kept
        assert file.read_text().startswith(f"{told['login']}:$6$")


def test_it_refuses_a_method_that_it_does_not_know(sites_file: Callable[[str], None]) -> None:
    """Case 9-49."""
    expected = "Unsupported ExportCredentialsStrategy: test. Supported strategies: basic, user, none"
    with pytest.raises(SitesFileError, match=expected):
        sites_file(with_method("test"))


def test_it_opens_a_folder_of_an_older_installation_to_its_password(
    make_items: Callable[..., None], client: Client, export_root: Path, engine: Engine
) -> None:
    """Case 9-51; a link, an overlong file and nonsense open nothing."""
    make_items(1)
    export()
    path = engine.received[0].json["events"][0]["uri"][0].removeprefix("https://site.example")
    [file] = export_root.rglob(".htpasswd")
    file.write_text("login:32WD0cb.ArAxg")
    assert status(client, path, basic("login", "PassTest00123A")) == 200
    assert status(client, path, basic("login", "PassTest00123B")) == 200, "DES looks at eight characters"
    assert status(client, path, basic("login", "passTest00123A")) == 401
    assert status(client, path, basic("other", "PassTest00123A")) == 401
    file.write_bytes(b"\xff\0 no password file")
    assert status(client, path, basic("login", "PassTest00123A")) == 401
    file.unlink()
    elsewhere = export_root / "elsewhere"
    elsewhere.write_text("login:32WD0cb.ArAxg")
    file.symlink_to(elsewhere)
    assert status(client, path, basic("login", "PassTest00123A")) == 401


def test_the_method_decides_who_may_read_items(
    make_items: Callable[..., None], client: Client, sites_file: Callable[[str], None]
) -> None:
    """Case 9-53."""
    make_items(1)
    item = "/api/ibexa/v2/personalization/v1/content/id/1"
    sites_file(with_method("none"))
    assert status(client, item, {}) == 200
    sites_file(with_method("user", ", login: '1111', password: password"))
    assert status(client, item, basic("1111", "password")) == 200
    assert status(client, item, basic("12345", "wrong_password")) == 401


def test_one_export_of_a_customer_keeps_the_next_out_until_it_ends(make_items: Callable[..., None]) -> None:
    """Case 9-55: a row of the database is the lock, so that it cannot outlive its process."""
    make_items(1)

    def is_locked() -> bool:
        return ExportRun.objects.filter(customer_id="501", phase__in=ACTIVE).exists()

    assert not is_locked()
    job = queue.enqueue("export", {"run": 0}, key="run-0")
    run = ExportRun.objects.create(customer_id="501", site_name="site_en", folder="x", job_id=job.pk)
    Job.objects.filter(pk=job.pk).update(
        state="running", lease_owner=lease.worker_name(), lease_until="2999-01-01T00:00:00Z"
    )
    assert is_locked()
    with pytest.raises(CommandError, match="already running") as caught:
        export()
    assert caught.value.returncode == 4
    run.end(ExportRun.Phase.FAILED, error="stopped")
    assert not is_locked()
    assert not exporting.cancel(run, reason="a second time changes nothing")
    export()
    assert not is_locked()


def test_a_missing_file_is_named(client: Client) -> None:
    """Case 9-57."""
    path = "/api/ibexa/v2/personalization/v1/export/download/unexisting_file.txt"
    answer: Any = client.get(path)
    assert answer.status_code == 404
    assert json.loads(answer.content)["ErrorMessage"]["errorDescription"] == (
        "File: unexisting_file.txt not found."
    )
