"""An address that costs what HTTP, the server and the middleware cost; for `bench_calls`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path


def word(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    return HttpResponse(b"ok", content_type="text/plain")


urlpatterns = [path("bench/word", word)]
