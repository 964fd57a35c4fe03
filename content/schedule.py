"""What the worker calls regularly for the read model."""

from __future__ import annotations

from config.jobs.schedule import periodic
from content.items import declared
from content.items.dirty import sweep


@periodic("sweep_items", every=5)
def sweep_items() -> None:
    """Materialise what a crash or a large subtree left, and tell what was not told."""
    sweep()


@periodic("item_types", every=60)
def follow_item_types() -> None:
    """Bring items up to date whose type came, changed or went with a new version of the project."""
    declared.look()
