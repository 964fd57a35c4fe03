"""What gunicorn calls in a web process; `serve` passes this file as its configuration."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable

from django.urls import get_resolver

from config.http.same_thread import handler

logger = logging.getLogger("personalization")

_warmers: list[Callable[[], None]] = []


def warmer(function: Callable[[], None]) -> Callable[[], None]:
    """Register what a web process should have at hand before its first request."""
    _warmers.append(function)
    return function


def post_worker_init(_worker: object) -> None:
    """Load what the first visitors would otherwise wait for. A failure only means a slower first request."""
    for function in (load_urls, *_warmers):
        try:
            function()
        except Exception as error:  # noqa: BLE001 - whatever it is, requests will meet and report it
            logger.warning("The web process starts cold, %s failed: %s", function.__name__, error)


def worker_exit(_server: object, _worker: object) -> None:
    """Nothing is left to do but to end: spare the collector of garbage a walk through all of Django."""
    gc.freeze()


def load_urls() -> None:
    """Import every view and build the handler of calls to ourselves."""
    handler()
    _ = get_resolver().url_patterns
    get_resolver()._populate()
