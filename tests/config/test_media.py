"""Uploaded pictures, and what lies beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from pytest_django import Settings


@pytest.fixture
def media_root(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    for name in ("images/sea.jpg", "images/.draft.jpg", "documents/contract.pdf", "Documents/old.pdf"):
        path = settings.MEDIA_ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "secret_key").write_text("canary")
    return Path(settings.MEDIA_ROOT)


def body(answer: HttpResponse | StreamingHttpResponse) -> bytes:
    return b"".join(answer) if isinstance(answer, StreamingHttpResponse) else answer.content


@pytest.mark.usefixtures("media_root")
def test_it_shows_a_picture_that_no_browser_runs() -> None:
    answer = Client().get("/media/images/sea.jpg")

    assert (answer.status_code, body(answer)) == (200, b"images/sea.jpg")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.usefixtures("media_root")
@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize(
    "path",
    [
        "documents/contract.pdf",
        "/documents/contract.pdf",
        "./documents/contract.pdf",
        "images/../documents/contract.pdf",
        "images//..//documents/contract.pdf",
        "%2fdocuments/contract.pdf",
        "documents%2fcontract.pdf",
        "Documents/old.pdf",
        "..",
        "../secret_key",
        "..%2fsecret_key",
        "images/../../secret_key",
        "images/.draft.jpg",
        "images",
        "images/",
        "%ff",
        "nothing.jpg",
        "x" * 300,
    ],
)
def test_it_shows_nothing_else(path: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = Client().get(f"/media/{path}")

    assert answer.status_code == 404
    assert not any(word in body(answer) for word in (b"contract", b"canary", b"draft", b"old.pdf"))
    assert not caplog.records  # nobody fills the log with the errors of others
