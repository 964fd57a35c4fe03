"""The parts above that hold something of people beside their profiles, such as samples of what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from cdp.profiles.models import Account, Profile
from cdp.profiles.names import Key, Named


@dataclass(frozen=True, kw_only=True)
class Whom:
    """A person: all names that are known, in clear and as keys (kind and digest), and the profile if any."""

    account: Account
    names: tuple[Named, ...]
    keys: tuple[Key, ...]
    profile: Profile | None


class Place(Protocol):
    """One part. Both functions are safe to call again, and after a crash at any point."""

    @property
    def name(self) -> str:
        """One word for receipts and exports."""
        ...

    def find(self, whom: Whom) -> Iterator[dict[str, Any]]:
        """Everything that stands here of the person, each as a JSON object."""
        ...

    def erase(self, whom: Whom) -> int:
        """Remove it; return how much that was. Rows that go with the profile need not be removed."""
        ...


_places: list[Place] = []


def register(place: Place) -> Place:
    """What ``place`` holds of a person is shown, and erased before the profile goes."""
    _places.append(place)
    return place


def places() -> tuple[Place, ...]:
    return tuple(_places)
