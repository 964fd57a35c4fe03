"""Which names of a batch are of one person: union-find over names and the profiles that have them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cdp.profiles.models import ProfileIdentifier
from cdp.profiles.names import Key, Person, is_tracked

MOST_OF_A_KIND = 50  # names that one person may have (reference `cdp.md` 2.6)
Node = int | Key  # a profile, or a name that is new


@dataclass
class Group:
    """A person: the profiles that turned out to be one, and names that are new."""

    profiles: set[int] = field(default_factory=set)
    names: list[Key] = field(default_factory=list)


class Groups:
    """``counts``: profile -> kind -> how many names of it the profile has already."""

    def __init__(
        self, known: Mapping[Key, ProfileIdentifier], counts: Mapping[int, Mapping[str, int]]
    ) -> None:
        self._known = known
        self._counts: dict[Node, Counter[str]] = {pk: Counter(of) for pk, of in counts.items()}
        self._parent: dict[Node, Node] = {}
        self._first: set[Node] = set()
        self.refused: list[tuple[Key, Key]] = []

    def node(self, key: Key) -> Node:
        identity = self._known.get(key)
        node: Node = key if identity is None else identity.profile_id
        if node not in self._parent:
            self._parent[node] = node
            self._counts.setdefault(node, Counter({key[0]: 1} if identity is None else {}))
        return node

    def root(self, node: Node) -> Node:
        while (parent := self._parent[node]) != node:
            self._parent[node] = node = self._parent[parent]
        return node

    def add(self, person: Person) -> None:
        """All names of the person belong to whom the first one names, unless that makes too many."""
        first, *others = person.own
        self._first.add(self.node(first))
        for other in others:
            self.join(first, other)
        for of, key in person.derived:
            self.join(of, key)

    def join(self, one: Key, other: Key) -> None:
        a, b = self.root(self.node(one)), self.root(self.node(other))
        if a == b:
            return
        both = self._counts[a] + self._counts[b]
        if any(count > MOST_OF_A_KIND and not is_tracked(kind) for kind, count in both.items()):
            self.refused.append((one, other))
            return
        self._parent[b] = a
        self._counts[a] = both

    def found(self) -> dict[Node, Group]:
        """Root -> group, of those that a person's first name is in: others were refused and are dropped."""
        roots = {self.root(node) for node in self._first}
        groups: dict[Node, Group] = defaultdict(Group)
        for node in self._parent:
            root = self.root(node)
            if root in roots:
                group = groups[root]
                if isinstance(node, int):
                    group.profiles.add(node)
                else:
                    group.names.append(node)
        return groups


def is_settled(keys: Iterable[Key], known: Mapping[Key, ProfileIdentifier]) -> bool:
    """Whether all these names are known to be of one person: nothing is to be done, the rule."""
    found = {identity.profile_id if (identity := known.get(key)) else None for key in keys}
    return len(found) == 1 and None not in found
