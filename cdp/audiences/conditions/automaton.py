"""Matching expressions of :mod:`cdp.audiences.conditions.pattern` in time that grows with the text alone.

Its states are made as texts need them, each a set of places in the expression (Thompson's construction, as in
RE2); Python's own engine tries ways one after the other, and some texts have more of them than there is time.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from cdp.audiences.conditions.pattern import Chars, Choice, Edge, Part, Repeat, Row, parsed

MOST_STATES = 5_000
Targets = list[int]


class Automaton:
    """``matches(text)``: whether some part of the text is what the expression says."""

    def __init__(self, part: Part) -> None:
        self.free: list[list[tuple[Edge | None, int]]] = []  # place -> ways that take no character
        self.taking: dict[int, tuple[Chars, int]] = {}
        self.start, self.end = self.place(), self.place()
        self.build(part, self.start, self.end)
        self.fresh = self.closed([self.start], at_start=False)
        self.known: dict[frozenset[int], dict[str, frozenset[int]]] = {}
        self.ends: dict[frozenset[int], bool] = {}

    def place(self) -> int:
        self.free.append([])
        return len(self.free) - 1

    def build(self, part: Part, start: int, end: int) -> None:
        match part:
            case Chars():
                self.taking[start] = part, end
            case Edge():
                self.free[start].append((part, end))
            case Row(parts):
                for one in parts:
                    start = self.after(one, start)
                self.free[start].append((None, end))
            case Choice(parts):
                for one in parts:
                    self.free[self.after(one, self.joined(start))].append((None, end))
            case Repeat(inner, least, most):
                self.repeat(inner, start, end, least=least, most=most)

    def repeat(self, inner: Part, start: int, end: int, *, least: int, most: int | None) -> None:
        for _ in range(least):
            start = self.after(inner, start)
        if most is None:
            loop = self.joined(start)
            self.free[self.after(inner, self.joined(loop))].append((None, loop))
            self.free[loop].append((None, end))
            return
        for _ in range(most - least):
            self.free[start].append((None, end))
            start = self.after(inner, self.joined(start))
        self.free[start].append((None, end))

    def joined(self, start: int) -> int:
        """A new place, reached from ``start`` for nothing."""
        place = self.place()
        self.free[start].append((None, place))
        return place

    def after(self, part: Part, start: int) -> int:
        end = self.place()
        self.build(part, self.joined(start), end)
        return end

    def closed(self, places: Iterable[int], *, at_start: bool, at_end: bool = False) -> frozenset[int]:
        found, todo = set(places), list(places)
        while todo:
            for edge, place in self.free[todo.pop()]:
                passes = edge is None or (at_end if edge.is_end else at_start)
                if passes and place not in found:
                    found.add(place)
                    todo.append(place)
        return frozenset(found)

    def matches(self, text: str) -> bool:
        state = self.closed([self.start], at_start=True)
        if not text:
            return self.end in self.closed([self.start], at_start=True, at_end=True)
        for char in text:
            if self.end in state:
                return True
            state = self.step(state, char)
        return self.at_end(state)

    def step(self, state: frozenset[int], char: str) -> frozenset[int]:
        ways = self.known.setdefault(state, {})
        if char not in ways:
            if len(self.known) > MOST_STATES:
                self.known = {state: (ways := {})}
            code = ord(char)
            reached = [
                self.taking[one][1] for one in state if one in self.taking and self.taking[one][0].has(code)
            ]
            ways[char] = self.closed(reached, at_start=False) | self.fresh
        return ways[char]

    def at_end(self, state: frozenset[int]) -> bool:
        if state not in self.ends:
            if len(self.ends) > MOST_STATES:
                self.ends = {}
            self.ends[state] = self.end in self.closed(state, at_start=False, at_end=True)
        return self.ends[state]


@lru_cache(maxsize=64)
def automaton(text: str, *, case: bool) -> Automaton:
    """Raises :class:`~cdp.audiences.conditions.pattern.BadPattern`."""
    return Automaton(parsed(text, case=case))
