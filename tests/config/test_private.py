"""Who may read the state of an installation."""

from __future__ import annotations

import stat
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import storages

from config import private
from config.storage import UploadedFiles
from tests.flows.installation import Installation


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))[2:]


def test_it_makes_state_for_its_owner_only(tmp_path: Path) -> None:
    own = Installation(var_dir=tmp_path / "var")
    own.manage("migrate", "-v0")
    assert mode(own.var_dir) == "711"
    assert {path.name: mode(path) for path in own.var_dir.iterdir() if path.is_file()} == {
        "lodestar.sqlite3": "600",
        "events.sqlite3": "600",
        "secret_key": "600",
    }
    own.python("from tracking import lake; lake.archive()")
    assert mode(own.var_dir / "lake") == "700"


def test_it_shuts_what_an_earlier_version_left_open(tmp_path: Path) -> None:
    database, lake, media = tmp_path / "lodestar.sqlite3", tmp_path / "lake", tmp_path / "media"
    database.touch()
    database.chmod(0o644)
    for folder in (lake, media):
        folder.mkdir()
        folder.chmod(0o755)
    assert list(private.readable_by_others(tmp_path)) == [lake, database]
    private.shut(tmp_path)
    assert (mode(database), mode(lake), mode(media)) == ("640", "750", "755")
    assert list(private.readable_by_others(tmp_path)) == []


def test_it_lets_a_web_server_read_pictures_but_no_documents(tmp_path: Path) -> None:
    storage = UploadedFiles(location=tmp_path / "media")
    for name in ("images/2026/cat.jpg", "documents/bill.pdf"):
        storage.save(name, ContentFile(b"bytes"))
    media = tmp_path / "media"
    assert mode(media / "images/2026/cat.jpg") == "644"
    assert {mode(media / name) for name in (".", "images", "images/2026")} == {"755"}
    assert mode(media / "documents") == "700"
    assert type(storages["default"]) is UploadedFiles


def test_it_lets_a_web_server_read_static_files(tmp_path: Path) -> None:
    key = "k7" + "abcdefgh" * 8
    settings = {"LODESTAR_DEBUG": "0", "SECRET_KEY": key, "LODESTAR_PSEUDONYM_KEY": key + "2"}
    own = Installation(var_dir=tmp_path / "var", extra_env=settings)
    own.manage("collectstatic", "--noinput", "-v0")
    found = list((own.var_dir / "static").rglob("*"))
    assert any(path.suffix == ".gz" for path in found)
    assert {mode(path) for path in found if path.is_file()} == {"644"}
    assert {mode(path) for path in (own.var_dir / "static", *found) if path.is_dir()} == {"755"}
