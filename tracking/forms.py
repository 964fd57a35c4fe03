"""One person under several stored forms, while a rotation has re-keyed some rows and others not yet."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from tracking import identity


class Forms:
    """Remembers under which forms each user of a customer was met. A user's name is the form of today.

    An older form leads to the newer ones, never back: hence what was met is remembered.
    """

    def __init__(self, customer_id: str) -> None:
        self.customer_id = customer_id
        self._met: dict[str, dict[str, None]] = {}

    def name(self, stored: str) -> str:
        """The form of today of a stored one, which is remembered."""
        if len(settings.PSEUDONYM_KEYS) == 1:
            return stored
        forms = identity.onward(self.customer_id, stored)
        self._met.setdefault(forms[-1], {}).update(dict.fromkeys(reversed(forms)))
        return forms[-1]

    def of(self, names: Iterable[str]) -> list[str]:
        """All forms under which these users may be stored, as far as they were met."""
        return [form for name in names for form in self._met.get(name, (name,))]
