"""Every kind of model that this installation knows."""

from __future__ import annotations

from personalization.server.learning import (
    bundles,
    content,
    crossed,
    edited,
    foryou,
    pairs,
    personal,
    popularity,
    ratings,
    recent,
    stereotype,
    visits,
)
from personalization.server.learning.base import Kind, Learned, Serves, kind, kinds, with_defaults

__all__ = [
    "Kind",
    "Learned",
    "Serves",
    "bundles",
    "content",
    "crossed",
    "edited",
    "foryou",
    "kind",
    "kinds",
    "pairs",
    "personal",
    "popularity",
    "ratings",
    "recent",
    "stereotype",
    "visits",
    "with_defaults",
]
