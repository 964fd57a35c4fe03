"""Outgoing HTTP: the only place of the project that opens a connection to another system."""

from __future__ import annotations

from config.http.answer import (
    Answer,
    Downloaded,
    OutgoingError,
    Refused,
    TooLarge,
    TooSlow,
    Unreachable,
)
from config.http.client import SafeClient
from config.http.own import event_base, is_own, own_base, seen_from

__all__ = [
    "Answer",
    "Downloaded",
    "OutgoingError",
    "Refused",
    "SafeClient",
    "TooLarge",
    "TooSlow",
    "Unreachable",
    "event_base",
    "is_own",
    "own_base",
    "seen_from",
]
