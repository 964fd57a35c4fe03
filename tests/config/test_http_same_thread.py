"""Calls to this installation itself: same bytes, no socket, nothing leaks into the caller."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from pytest_django import Settings

from config.http import Refused, SafeClient, TooLarge, is_own, own_base, seen_from

CLIENT = SafeClient(purpose="tests")


@csrf_exempt
def echo(request: HttpRequest, rest: str = "") -> JsonResponse:
    seen = {
        "method": request.method,
        "raw": request.META["RAW_URI"],
        "host": request.get_host(),
        "body": request.body.decode(),
        "auth": request.headers.get("Authorization", ""),
        "type": request.content_type,
        "rest": rest,
    }
    translation.activate("fr")
    return JsonResponse(seen)


def query(_request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("read")


def broken(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("inside")


closed: list[str] = []


def many(_request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    response = StreamingHttpResponse(parts())
    response._resource_closers.append(lambda: closed.append("many"))  # type: ignore[attr-defined]
    return response


urlpatterns = [
    path("echo/<path:rest>", echo),
    path("echo/", echo),
    path("query/", query),
    path("broken/", broken),
    path("many/", many),
]


@pytest.fixture(autouse=True)
def _own_views(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.config.test_http_same_thread"
    closed.clear()


def test_it_hands_the_request_over_with_raw_path_and_body() -> None:
    answer = CLIENT.request(
        "POST",
        f"{own_base()}/echo/a%2Fb?q=%41",
        content=b'{"a": 1}',
        headers={"Content-Type": "application/json"},
        bearer="t",
    )
    assert answer.json() == {
        "method": "POST",
        "raw": "/echo/a%2Fb?q=%41",
        "host": "localhost:8000",
        "body": '{"a": 1}',
        "auth": "Bearer t",
        "type": "application/json",
        "rest": "a/b",
    }


def test_it_leaves_the_language_of_the_caller_alone() -> None:
    with translation.override("en"):
        CLIENT.request("GET", f"{own_base()}/echo/")
        assert translation.get_language() == "en"


@pytest.mark.django_db(transaction=True)
def test_it_leaves_the_connection_of_the_caller_open() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert CLIENT.request("GET", f"{own_base()}/query/").body == b"read"
        cursor.execute("SELECT 1")


@pytest.mark.django_db(transaction=True)
def test_it_refuses_a_writing_call_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(Refused, match="after the commit"):
        CLIENT.request("POST", f"{own_base()}/echo/")
    assert CLIENT.request("POST", f"{own_base()}/echo/").ok


@pytest.mark.django_db
def test_it_does_not_count_the_transaction_of_a_test() -> None:
    assert CLIENT.request("POST", f"{own_base()}/echo/").ok
    with transaction.atomic(), pytest.raises(Refused):
        CLIENT.request("POST", f"{own_base()}/echo/")


def test_it_answers_500_for_a_view_that_fails(settings: Settings) -> None:
    settings.DEBUG = False
    assert CLIENT.request("GET", f"{own_base()}/broken/").status == 500


def test_it_streams_a_download_and_closes_the_response(tmp_path: Path) -> None:
    answer = CLIENT.download(f"{own_base()}/many/", path=tmp_path / "f")
    assert answer.bytes == (tmp_path / "f").stat().st_size == 1_000_000
    assert closed == ["many"]


def test_it_counts_the_bytes_of_its_own_answers_too() -> None:
    with pytest.raises(TooLarge):
        SafeClient(purpose="tests", max_bytes=1000).request("GET", f"{own_base()}/many/")
    assert closed == ["many"]


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:8000/x", True),
        ("http://127.0.0.1:8000/", True),
        ("http://[::1]:8000/", True),
        ("http://127.0.0.1:8001/", False),
        ("http://shop.example/", False),
        ("https://front.example/a", True),
        ("https://front.example:8443/", False),
        ("http://user@localhost:8000/", False),
        ("http://localhost:99999/", False),
        ("/relative", False),
    ],
)
def test_it_knows_its_own_addresses(url: str, own: object, settings: Settings) -> None:
    settings.SERVED_PORT = 8000
    settings.WAGTAILADMIN_BASE_URL = "https://front.example"
    assert is_own(url) is own
    assert (seen_from(url, host="page.example") == "") is own


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("http://localhost:8000/x", True),
        ("http://127.0.0.1:8001/", False),
        ("https://front.example", True),
        ("https://front.example:8001", False),
        ("https://elsewhere.example", False),
    ],
)
def test_it_takes_the_collectors_port_for_another_origin(url: str, same: object, settings: Settings) -> None:
    settings.SERVED_PORT, settings.EVENT_PORT = 8000, 8001
    settings.WAGTAILADMIN_BASE_URL = "https://front.example"
    assert (seen_from(url, host="page.example") == "") is same
