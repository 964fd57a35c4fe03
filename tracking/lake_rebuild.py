"""Writing the files of customers anew from the events database."""

from __future__ import annotations

from dataclasses import dataclass

from config.faults import Fault
from tracking import horizon, lake, lake_rewrite
from tracking.lake_faults import reaching


class NoFiles(Exception):
    """The customer has nothing in the lake."""


@dataclass(frozen=True)
class Rebuilt:
    events: int
    customers: int


def rebuild(customer_id: str | None = None) -> Rebuilt:
    """Set the files aside and write new ones, for one customer or for all.

    Raises :class:`NoFiles`, :class:`~config.faults.Fault` and
    :class:`~tracking.lake_rewrite.LakeBusy`. When it is interrupted, the worker goes on with it.
    """
    known = lake.customers()
    if customer_id is not None and customer_id not in known:
        raise NoFiles(f"customer {customer_id[:64]} has no files in the lake.")
    chosen = known if customer_id is None else [customer_id]
    with lake_rewrite.locked(), reaching(lost="The lake was not built again"):
        upto, reached = horizon.settled_id(), lake.position()
        if not upto:
            raise Fault("The events database holds no events, or is being written to; nothing was done.")
        for one in chosen:
            lake.set_aside(one)
        events = lake.catch_up(upto)
        # The newest rows may be gone from the database while files of other customers reach to them.
        lake.move_cursor(max(upto, reached))
        return Rebuilt(events, len(chosen))
