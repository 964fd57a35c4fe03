"""The OpenAPI documents of this installation: who describes an API registers its document here.

They are served under ``/api/schema/<name>.json``, printed by ``manage.py openapi`` and shown by Swagger UI
and Redoc under ``/api/docs/``, both from our own origin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import orjson


@dataclass(frozen=True, kw_only=True)
class Description:
    """One API. ``build`` makes its OpenAPI 3.1 document, ``page`` its page of the documentation, if any."""

    name: str
    title: str
    build: Callable[[], dict[str, Any]]
    page: Callable[[], str] | None = None

    @cached_property
    def as_json(self) -> bytes:
        """The document in UTF-8, made once: it says nothing of this installation."""
        return orjson.dumps(self.build(), option=orjson.OPT_APPEND_NEWLINE)

    @cached_property
    def etag(self) -> str:
        return f'"{sha256(self.as_json).hexdigest()[:32]}"'

    def as_text(self) -> str:
        """The document as indented JSON, for people and version control."""
        return orjson.dumps(self.build(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


_described: dict[str, Description] = {}


def describe(description: Description) -> None:
    """Register a document; a second one of the same name replaces the first."""
    _described[description.name] = description


def described() -> dict[str, Description]:
    """Name -> document, in the order of registration."""
    return dict(_described)
