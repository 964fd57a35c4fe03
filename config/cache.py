"""The cache of one machine's processes, which may lose what it holds but never break a page."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache

logger = logging.getLogger("config")


class ForgetfulFileCache(FileBasedCache):
    """Django's cache in files; what a full or broken disk does not take is not cached.

    Without this, every page answers 500 from the moment on when Wagtail cannot store its site roots.
    """

    def __init__(self, location: Any, params: dict[str, Any]) -> None:
        super().__init__(location, params)
        self.directory = location

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        try:
            super().set(key, value, timeout, version)
        except OSError as error:
            logger.warning("Nothing is cached in %s: %s", self.directory, error.strerror)
            with suppress(OSError):
                self.delete(key, version)  # the value before is out of date
