"""Going through trees: every node with its pointer, and which audiences one needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cdp.audiences.conditions.document import Group, Member, Node
from cdp.audiences.conditions.faults import BadDefinition, Problem

MOST_NESTED = 100


def nodes(node: Node, pointer: str = "") -> Iterator[tuple[str, Node]]:
    """Each node with its JSON pointer, parents first."""
    yield pointer, node
    if isinstance(node, Group):
        for place, child in enumerate(node.children):
            yield from nodes(child, f"{pointer}/children/{place}")


def references(tree: Node) -> dict[str, str]:
    """The audiences that the tree names, each with the pointer of the first node that does."""
    found: dict[str, str] = {}
    for pointer, node in nodes(tree):
        if isinstance(node, Member):
            found.setdefault(node.audience, f"{pointer}/audience")
    return found


def in_order(tree: Group, tree_of: Callable[[str], Group | None], *, name: str = "") -> list[str]:
    """The audiences that the tree needs, directly or not, each behind those it needs itself.

    ``tree_of``: the tree of an identifier. ``name``: what the tree itself is called. Raises
    :class:`BadDefinition` for a cycle, with the path, and for an audience that there is not. Two ways to one
    audience are fine.
    """
    done: dict[str, None] = {}

    def visit(node: Group, path: tuple[str, ...], pointer: str) -> None:
        for other, place in references(node).items():
            here = pointer or place
            if other in path:
                raise cycle((*path[path.index(other) :], other), here)
            if other in done:
                continue
            found = tree_of(other)
            if found is None:
                raise BadDefinition([Problem("unknown_audience", here, f"There is no audience {other!r}.")])
            if len(done) + len(path) > MOST_NESTED:
                message = f"An audience needs at most {MOST_NESTED} others."
                raise BadDefinition([Problem("too_many_nodes", here, message)])
            visit(found, (*path, other), here)
            done[other] = None

    visit(tree, (name,) if name else (), "")
    return list(done)


def cycle(path: tuple[str, ...], pointer: str) -> BadDefinition:
    return BadDefinition([Problem("cycle", pointer, f"cycle: {' → '.join(path)}")])
