"""What the worker calls regularly for the read model."""

from __future__ import annotations

from config.jobs.schedule import periodic
from content.items.dirty import sweep


@periodic("sweep_items", every=5)
def sweep_items() -> None:
    """Materialise what a crash or a large subtree left, and tell what was not told."""
    sweep()
