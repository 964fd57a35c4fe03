"""What the worker does regularly for tracking."""

from __future__ import annotations

from config.jobs.schedule import periodic
from tracking import lake


@periodic("tracking.lake", every=60)
def archive() -> None:
    """Move committed events to the lake."""
    lake.archive()
    lake.sweep()
