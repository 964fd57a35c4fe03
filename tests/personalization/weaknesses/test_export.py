"""Faults of the reference's full export that are not repeated (reference section 10.1)."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from content.items import types
from content.items.types import item_type
from content.models import FolderPage
from personalization.client import tokens, upkeep
from personalization.client.models import ExportRun
from tests.content.conftest import Magazine, committed
from tests.personalization.client.conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file", "export_root")]
MakeItems = Callable[..., None]
ONE = ("--siteaccess=site_en", "--customer-id=501", "--license-key=1111-aaaa")


def export(*options: str) -> list[dict[str, Any]]:
    """The outcomes that the command prints, one per customer."""
    out = StringIO()
    call_command("run_export", "--json", *options, stdout=out, stderr=StringIO())
    outcomes: list[dict[str, Any]] = json.loads(out.getvalue())["exports"]
    return outcomes


def chunks(root: Path) -> dict[str, list[dict[str, Any]]]:
    """File name -> items."""
    files = sorted(path for path in root.rglob("*_???-??_*") if path.is_file())
    return {path.name: json.loads(path.read_bytes())["contentList"]["content"] for path in files}


def events(engine: Engine) -> list[dict[str, Any]]:
    """The events of the only notification."""
    [call] = engine.received
    found: list[dict[str, Any]] = call.json["events"]
    return found


def test_w01_an_export_runs_to_its_end(make_items: MakeItems, engine: Engine, export_root: Path) -> None:
    # Brings it back: personalization/client/export/run.py: `target = target_of(run)` -> `target = run`
    make_items(3)
    [outcome] = export(*ONE)
    assert (outcome["state"], outcome["items"], outcome["engine_status"]) == ("done", 3, 202)
    assert [item["contentId"] for item in chunks(export_root)["place_eng-GB_1"]] == [1, 2, 3]


def test_w02_identifiers_become_the_numbers_of_their_types(make_items: MakeItems, engine: Engine) -> None:
    # Brings it back: personalization/client/export/announce.py:
    # `"contentTypeId": item_types()[identifier].id,` -> `"contentTypeId": 0,`
    make_items(1)
    make_items(1, kind="article", start=5)
    export(*ONE, "--item-type-identifier-list=place,article")
    assert [event["contentTypeId"] for event in events(engine)] == [38, 39]


def test_w04_every_page_is_announced(make_items: MakeItems, engine: Engine, client: Client) -> None:
    # Brings it back: personalization/client/export/announce.py:
    # `uris.setdefault((entry["type"], entry["language"]), []).append(file_url(run, entry))` ->
    # `uris[(entry["type"], entry["language"])] = [file_url(run, entry)]`
    make_items(5)
    export(*ONE, "--page-size=2")
    [event] = events(engine)
    assert len(event["uri"]) == 3
    bearer = {"Authorization": f"Bearer {event['credentials']['token']}"}
    fetched: list[int] = []
    for uri in event["uri"]:
        answer = client.get(uri.removeprefix("https://site.example"), headers=bearer)
        body = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
        fetched += [item["contentId"] for item in body["contentList"]["content"]]
    assert fetched == [1, 2, 3, 4, 5]


def test_w05_an_export_holds_the_items_of_its_own_site(
    make_items: MakeItems, export_root: Path, site_id: int
) -> None:
    # Brings it back: content/items/reading.py:
    # `WHERE site_id = %s AND item_type_id` -> `WHERE %s > 0 AND item_type_id`
    make_items(2)
    make_items(3, start=50, site=site_id + 1)
    export(*ONE)
    assert [item["contentId"] for item in chunks(export_root)["place_eng-GB_1"]] == [1, 2]


def test_w06_a_file_holds_its_own_language(magazine: Magazine, sites_file: Any, export_root: Path) -> None:
    # Brings it back: content/items/pages.py:
    # `language = to_protocol_language(places[0].language)` -> `language = to_protocol_language("en")`
    with committed():
        place = magazine.place("Harbour")
        french = place.copy_for_translation(magazine.fr, copy_parents=True)
        french.title = "Le port"
        french.save_revision().publish()
    export()
    found = chunks(export_root)
    assert [(one["language"], one["name"]) for one in found["place_eng-GB_1"]] == [("eng-GB", "Harbour")]
    assert [(one["language"], one["name"]) for one in found["place_fre-FR_1"]] == [("fre-FR", "Le port")]


def test_w07_one_customer_of_many_sites_needs_no_options(
    make_items: MakeItems, sites_file: Callable[[str], None]
) -> None:
    # Brings it back: personalization/client/credentials.py:
    # `groups.setdefault((site.customer_id, site.license_key), [])` ->
    # `groups.setdefault((site.name, site.license_key), [])`
    keys = "      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}\n"
    own = [line for line in SITES.splitlines(keepends=True) if "authentication:" not in line]
    sites_file("".join(own).replace("    default:\n", f"    default:\n{keys}"))
    make_items(2)
    make_items(3, language="fre-FR")
    [outcome] = export()
    assert (outcome["customer"], outcome["sites"], outcome["items"]) == (501, ["site_en", "site_fr"], 5)
    [outcome] = export("--siteaccess=site_fr")
    assert (outcome["customer"], outcome["sites"], outcome["items"]) == (501, ["site_fr"], 3)


def test_w08_blanks_in_lists_do_not_count_and_unknown_types_are_named(
    make_items: MakeItems, engine: Engine
) -> None:
    # Brings it back: personalization/client/export/selection.py:
    # `return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))` ->
    # `return text.split(",") if text else []`
    make_items(1)
    make_items(1, kind="article", start=5)
    export(*ONE, "--item-type-identifier-list=place, article")
    assert len(events(engine)) == 2
    with pytest.raises(CommandError, match="'artcle'.*Did you mean 'article'"):
        export(*ONE, "--item-type-identifier-list=place, artcle")


def test_w10_an_export_that_failed_is_in_nobodys_way(
    make_items: MakeItems, engine: Engine, settings: Any
) -> None:
    # Brings it back: personalization/client/export/run.py:
    # `run.end(ExportRun.Phase.FAILED, error=str(error))` -> `pass`
    make_items(1)
    settings.DISK_FLOOR_BYTES = 2**60
    with pytest.raises(CommandError, match="disk full"):
        export(*ONE)
    settings.DISK_FLOOR_BYTES = 0
    assert export(*ONE)[0]["state"] == "done"


def test_w11_two_exports_of_one_minute_have_folders_of_their_own(make_items: MakeItems) -> None:
    # Brings it back: personalization/client/export/run.py:
    # `/{customer_id}-{secrets.token_hex(16)}"` -> `"`
    make_items(1)
    make_items(1, language="fre-FR")
    folders = [outcome["folder"] for outcome in [*export(), *export()]]
    assert len(set(folders)) == 4


def test_w21_a_group_is_not_cut_at_fifty(make_items: MakeItems, export_root: Path) -> None:
    """Case 9-39."""
    # Brings it back: personalization/client/export/write.py: `after=after,` -> `after=after, limit=50,`
    make_items(120)
    assert export(*ONE)[0]["items"] == 120
    assert len(chunks(export_root)["place_eng-GB_1"]) == 120


@pytest.fixture
def blog_posts(monkeypatch: pytest.MonkeyPatch, sites_file: Callable[[str], None]) -> None:
    monkeypatch.setattr(types, "_TYPES", dict(types._TYPES))
    item_type("blog_post", id=77)(FolderPage)
    sites_file(SITES.replace("[place, article]", "[blog_post]"))


@pytest.mark.usefixtures("blog_posts")
def test_w37_types_with_underscores_keep_their_name_and_language(
    make_items: MakeItems, engine: Engine, export_root: Path
) -> None:
    """Case 9-45."""
    # Brings it back: personalization/client/export/announce.py:
    # `uris.setdefault((entry["type"], entry["language"]), [])` ->
    # `uris.setdefault(tuple(entry["name"].split("_")[:2]), [])`
    make_items(1, kind="blog_post")
    export(*ONE)
    assert list(chunks(export_root)) == ["blog_post_eng-GB_1"]
    [event] = events(engine)
    assert (event["contentTypeId"], event["lang"]) == (77, "eng-GB")


def test_w38_without_fields_every_field_is_exported(
    make_items: MakeItems, client: Client, export_root: Path
) -> None:
    # Brings it back: personalization/client/asked.py:
    # `return frozenset(names) or None` -> `return frozenset(names)`
    make_items(1)
    export(*ONE)
    [item] = chunks(export_root)["place_eng-GB_1"]
    bearer = {"Authorization": f"Bearer {tokens.mint(501)}"}
    answer = client.get("/api/ibexa/v2/personalization/v1/content/id/1", headers=bearer)
    assert answer.json()["contentList"]["content"] == [item]
    assert item["intro"] == "<p>Caf&eacute;</p>"


def test_w40_files_of_old_exports_go(make_items: MakeItems, export_root: Path, settings: Any) -> None:
    # Brings it back: personalization/client/upkeep.py:
    # `elif old(run) and files.absolute(run.folder).is_dir():` -> `elif False:`
    make_items(1)
    old, newest = export(*ONE)[0]["folder"], export(*ONE)[0]["folder"]
    ExportRun.objects.update(finished_at=timezone.now() - timedelta(days=4))
    upkeep.tidy()
    assert (export_root / old).is_dir()
    settings.EXPORT_DAYS = 3
    upkeep.tidy()
    assert not (export_root / old).exists()
    assert (export_root / newest).is_dir()


def test_w41_memory_does_not_grow_with_the_items(make_items: MakeItems) -> None:
    # Brings it back: personalization/client/export/write.py:
    # `rows = rows_of(group, place=place, remote_ids=remote_ids)` ->
    # `rows = iter(list(rows_of(group, place=place, remote_ids=remote_ids)))`
    make_items(20_000)
    export(*ONE, "--languages=fre-FR")  # imports and caches do not count
    tracemalloc.start()
    try:
        assert export(*ONE, "--page-size=1000")[0]["items"] == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000, "20,000 items of 500 bytes are 10 MB"


def test_w42_an_export_says_what_it_would_do_and_what_it_did(
    make_items: MakeItems, engine: Engine, export_root: Path
) -> None:
    # Brings it back: personalization/management/commands/run_export.py:
    # `outcome.engine_status = run.engine_status` -> `pass`
    make_items(3)
    [planned] = export(*ONE, "--dry-run")
    assert (planned["state"], planned["groups"]) == ("planned", [{"name": "place_eng-GB", "items": 3}])
    assert not export_root.exists()
    assert not engine.received
    [done] = export(*ONE, "--page-size=2")
    assert (done["items"], done["files"], done["engine_status"], done["exit_code"]) == (3, 2, 202, 0)
    engine.status = 403
    with pytest.raises(CommandError, match="refused the license key of customer 501") as caught:
        export(*ONE)
    assert caught.value.returncode == 1


def test_w47_the_license_key_need_not_be_on_the_command_line(
    make_items: MakeItems, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Brings it back: personalization/management/wanted.py: `return os.environ[name].strip()` -> `return name`
    make_items(1)
    key_file = tmp_path / "key"
    key_file.write_text("1111-aaaa\n")
    monkeypatch.setenv("KEY_OF_SHOP", "1111-aaaa")
    for option in ("--license-key-env=KEY_OF_SHOP", f"--license-key-file={key_file}"):
        export("--siteaccess=site_en", "--customer-id=501", option)
    headers = {call.headers["Authorization"] for call in engine.received}
    assert headers == {"Basic NTAxOjExMTEtYWFhYQ=="}, "501:1111-aaaa"


def test_w20_settings_of_a_site_are_its_own(
    magazine: Magazine, sites_file: Callable[[str], None], export_root: Path, django_user_model: Any
) -> None:
    # Brings it back: content/items/scoped.py:
    # `self._known[scope] = serving[0] if serving else None` ->
    # `self._known[scope] = self._sites[0][0] if self._sites else None`
    ana, bert = (
        django_user_model.objects.create_user(name, first_name=name, last_name="Lind")
        for name in ("Ana", "Bert")
    )
    sites_file(
        SITES.replace("languages: [eng-GB]", f"languages: [eng-GB]\n      author_id: {ana.pk}").replace(
            "languages: [fre-FR]", f"languages: [fre-FR]\n      author_id: {bert.pk}"
        )
    )
    with committed():
        place = magazine.place("Harbour")
        place.copy_for_translation(magazine.fr, copy_parents=True).save_revision().publish()
    export()
    found = chunks(export_root)
    assert found["place_eng-GB_1"][0]["author"] == "Ana Lind"
    assert found["place_fre-FR_1"][0]["author"] == "Bert Lind"


def test_w23_files_lie_outside_of_what_is_public(
    make_items: MakeItems, engine: Engine, client: Client, export_root: Path, settings: Any
) -> None:
    # Brings it back: personalization/client/rest.py:
    # `/([A-Za-z0-9_-]{1,200})"` -> `/([A-Za-z0-9_.-]{1,200})"`
    make_items(1)
    folder = export_root / export(*ONE)[0]["folder"]
    assert folder.stat().st_mode & 0o077 == 0, "no other user of the machine reads them"
    for public in (settings.MEDIA_ROOT, settings.STATIC_ROOT):
        assert not Path(settings.VAR_DIR / "export").is_relative_to(public)
    [event] = events(engine)
    kept = (folder / ".htpasswd").read_text()
    assert kept.startswith(f"{event['credentials']['login']}:$6$")
    assert event["credentials"]["password"] not in kept
    address = event["uri"][0].removeprefix("https://site.example")
    assert status(client, address, {}) == 401
    bearer = {"Authorization": f"Bearer {event['credentials']['token']}"}
    assert status(client, address.rpartition("/")[0] + "/.htpasswd", bearer) == 404


def test_w46_passwords_count_in_full_and_come_from_no_clock(
    make_items: MakeItems, engine: Engine, client: Client
) -> None:
    # Brings it back: personalization/client/export/announce.py:
    # `return sha256(password.encode()).hexdigest()` -> `return sha256(password[:8].encode()).hexdigest()`
    make_items(1)
    export(*ONE)
    [event] = events(engine)
    login, password = event["credentials"]["login"], event["credentials"]["password"]
    assert (len(login), len(password), password.isalnum()) == (10, 30, True)
    path = event["uri"][0].removeprefix("https://site.example")
    assert status(client, path, basic(login, password)) == 200
    assert status(client, path, basic(login, password[:8] + "x" * 22)) == 401
    engine.received.clear()
    export(*ONE)
    [again] = events(engine)
    assert not {login, password} & set(again["credentials"].values())


def status(client: Client, path: str, headers: dict[str, str]) -> int:
    answer = client.get(path, headers=headers)
    if answer.streaming:
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return int(answer.status_code)


def basic(login: str, password: str) -> dict[str, str]:
    from base64 import b64encode

    return {"Authorization": "Basic " + b64encode(f"{login}:{password}".encode()).decode()}


def test_w24_a_slash_at_the_end_of_the_host_is_not_doubled(make_items: MakeItems, engine: Engine) -> None:
    # Brings it back: personalization/client/export/run.py:
    # `"host": (order.host or target.main.host_uri).rstrip("/"),` ->
    # `"host": order.host or target.main.host_uri,`
    make_items(1)
    export(*ONE, "--host=https://other.example/")
    [event] = events(engine)
    assert event["uri"][0].startswith("https://other.example/api/")
