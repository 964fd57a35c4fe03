"""The registry of places where something of a person may stand.

The parts above tracking register theirs when they are loaded; nothing here knows them.
"""

from __future__ import annotations

from tracking.people.archive import Lake
from tracking.people.journal import Journal
from tracking.people.place import Place
from tracking.people.tables import Events, Logins

_places: list[Place] = []


def register(place: Place) -> Place:
    """For the parts above: what they hold of a person is found and erased after tracking's own."""
    _places.append(place)
    return place


def places() -> tuple[Place, ...]:
    """In the order in which data flows, so that nothing slips from one place into another behind our back."""
    return (Journal(), Events(), Logins(), Lake(), *_places)
