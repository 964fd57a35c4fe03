"""Activations that are being made: the steps of the wizard, kept in the session of whoever makes them.

A step is judged when it is left, so the browser never carries the steps before, and a page that is read
again loses nothing. The secret is kept sealed: sessions are rows of the database, and a page shows only that
there is one. Several drafts may be under way, in several tabs; the oldest goes.
"""

from __future__ import annotations

import secrets as randomness
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from pydantic import BaseModel, ValidationError

KEY = "cdp_activation_drafts"
MOST = 5


class Draft(BaseModel):
    """What is known so far. ``own``: client id of a site of ours, whose settings the sites file has;
    ``config``: None before the second step was left."""

    account: int
    kind: str
    own: str = ""
    name: str = ""
    description: str = ""
    person_identifier: str = ""
    config: dict[str, Any] | None = None
    sealed: str = ""
    audiences: list[int] = []
    purpose: str = ""


def begin(session: SessionBase, draft: Draft) -> str:
    """Keep a new draft; its key."""
    key = randomness.token_urlsafe(9)
    write(session, key, draft)
    return key


def write(session: SessionBase, key: str, draft: Draft) -> None:
    others = {name: value for name, value in session.get(KEY, {}).items() if name != key}
    kept = dict(list(others.items())[-(MOST - 1) :])
    session[KEY] = kept | {key: draft.model_dump(mode="json")}


def read(session: SessionBase, key: str) -> Draft | None:
    """None where it was made, went, or is of an earlier release."""
    try:
        return Draft.model_validate(session.get(KEY, {}).get(key))
    except ValidationError:
        return None


def drop(session: SessionBase, key: str) -> None:
    session[KEY] = {name: value for name, value in session.get(KEY, {}).items() if name != key}
