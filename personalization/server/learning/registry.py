"""Every kind of model that this installation knows."""

from __future__ import annotations

from personalization.server.learning import pairs, popularity, recent, viewed
from personalization.server.learning.base import Kind, Learned, kind, kinds, with_defaults

__all__ = ["Kind", "Learned", "kind", "kinds", "pairs", "popularity", "recent", "viewed", "with_defaults"]
