"""What the worker does regularly for tracking."""

from __future__ import annotations

from config.jobs.local import everywhere
from config.jobs.schedule import periodic
from tracking import lake, lake_merge, retention
from tracking.collector import surge
from tracking.collector.refusals import refusals
from tracking.lake_faults import reaching
from tracking.people import erase


@periodic("tracking.lake", every=60)
def archive() -> None:
    """Move committed events to the lake."""
    lake.archive()


@periodic("tracking.lake_sweep", every=3600)
def sweep_lake() -> None:
    """Remove what a crash left in the lake, and what was set aside long ago."""
    with reaching(lost="The lake was not swept"):
        lake_merge.sweep()


@everywhere("tracking.lake_cache", every=3600)
def tidy_lake() -> None:
    """Let go of what this machine keeps of the lake and should not."""
    with reaching(lost="The copies of the lake were not tidied"):
        lake_merge.tidy()


@periodic("tracking.refusals", every=300)
def forget_refusals() -> None:
    """Keep the newest of what was refused."""
    refusals.trim()


@periodic("tracking.erasure", every=60)
def sweep_erased() -> None:
    """Carry erasures on that were interrupted, and catch what was on its way when one began."""
    erase.sweep()


@periodic("tracking.retention", every=600)
def forget_old() -> None:
    """Remove events whose time is over; a pass through all of them a day."""
    retention.forget_old()


@periodic("tracking.journal", every=5)
def move_leftovers() -> None:
    """Move what killed collectors left in their journals."""
    surge.move_leftovers()
