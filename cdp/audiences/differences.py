"""What is other in one version of a rule than in another, in words (reference `cdp.md` 7.2)."""

from __future__ import annotations

from collections import Counter

from django.utils.translation import gettext as _

from cdp.audiences.conditions.document import Group
from cdp.audiences.conditions.walk import nodes
from cdp.audiences.words import Names, phrase


def differences(old: Group, new: Group, names: Names | None = None) -> list[str]:
    """A sentence per condition that was added or removed, and per group that joins otherwise."""
    before, after = leaves(old, names), leaves(new, names)
    found = [_("Removed: %(condition)s") % {"condition": one} for one in (before - after).elements()]
    found += [_("Added: %(condition)s") % {"condition": one} for one in (after - before).elements()]
    if found or old == new:
        return found
    return [
        _("Arranged otherwise: %(old)s → %(new)s") % {"old": phrase(old, names), "new": phrase(new, names)}
    ]


def leaves(tree: Group, names: Names | None) -> Counter[str]:
    return Counter(phrase(node, names) for _pointer, node in nodes(tree) if not isinstance(node, Group))
