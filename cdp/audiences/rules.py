"""The rules of audiences as they are stored, and what new ones may speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from cdp.audiences.compile.statement import Rule
from cdp.audiences.conditions.read import Known, read
from cdp.audiences.models import Audience
from cdp.profiles import vocabulary
from cdp.profiles.models import Account


class Rules(Mapping[str, Rule]):
    """Identifier -> rule of an account's audiences that are not archived; each is read when it is needed.

    A look-up raises :class:`~cdp.audiences.conditions.faults.BadDefinition` if a document means nothing.
    """

    def __init__(self, account: Account) -> None:
        rows = Audience.objects.filter(account=account, archived_at=None)
        found = rows.values_list("identifier", "definition", "purpose")
        self.stored = {identifier: (document, purpose) for identifier, document, purpose in found}
        self.zone = ZoneInfo(account.time_zone)
        self.read: dict[str, Rule] = {}

    def __getitem__(self, identifier: str) -> Rule:
        if identifier not in self.read:
            document, purpose = self.stored[identifier]
            self.read[identifier] = Rule(tree=read(document, Known(zone=self.zone)), purpose=purpose)
        return self.read[identifier]

    def __contains__(self, identifier: object) -> bool:
        return identifier in self.stored

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)


def rule_of(audience: Audience) -> Rule:
    """Raises :class:`~cdp.audiences.conditions.faults.BadDefinition`."""
    zone = ZoneInfo(audience.account.time_zone)
    return Rule(tree=read(audience.definition, Known(zone=zone)), purpose=audience.purpose)


def known(account: Account, rules: Rules) -> Known:
    """What a definition that is saved now may speak of."""
    return Known(
        zone=rules.zone,
        events=vocabulary.EVENTS,
        attributes=vocabulary.attributes(account),
        audiences=rules,
    )
