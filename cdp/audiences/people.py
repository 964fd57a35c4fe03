"""In which audiences a person is, and which they joined and left, for who asks what is known of them.

The rows hang on the profile: they go with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdp.audiences.models import AudienceMembership, MembershipChange
from cdp.profiles import places
from cdp.profiles.places import Whom


class Audiences:
    name = "audiences"

    def find(self, whom: Whom) -> Iterator[dict[str, Any]]:
        if whom.profile is None:
            return
        members = AudienceMembership.objects.filter(profile=whom.profile).select_related("audience")
        for row in members.order_by("joined_at", "pk"):
            yield {"audience": row.audience.name, "is": "member", "at": row.joined_at}
        changes = MembershipChange.objects.filter(profile=whom.profile).select_related("audience")
        for change in changes.order_by("at", "pk"):
            yield {
                "audience": change.audience.name,
                "is": "joined" if change.joined else "left",
                "at": change.at,
            }

    def erase(self, whom: Whom) -> int:
        """How many memberships go with the profile."""
        if whom.profile is None:
            return 0
        return AudienceMembership.objects.filter(profile=whom.profile).count()


places.register(Audiences())
