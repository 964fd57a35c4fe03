"""Answers of the platform's addresses for programs."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse


def json(document: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(document), status=status, content_type="application/json")


def note(logger: logging.Logger, request: HttpRequest, what: str, status: int, *, began: float) -> None:
    """A line of each request, without secrets and people. ``began``: by `time.perf_counter`."""
    logger.debug(
        "%s -> %d in %d ms from %s",
        what,
        status,
        (time.perf_counter() - began) * 1000,
        request.META.get("REMOTE_ADDR", "-"),
    )
