"""Regular expressions that somebody else writes: only such as cannot run for ever."""

from __future__ import annotations

import re
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LONGEST, LONGEST_TEXT, MOST_REPEATS = 200, 200, 3
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)


class BadPattern(ValueError):
    """The end of a sentence that begins with the pattern."""


def safe_pattern(pattern: str) -> re.Pattern[str]:
    """The compiled pattern. Raises :class:`BadPattern`.

    A repetition within a repetition, and a reference back, make some texts take years.
    """
    if len(pattern) > LONGEST:
        raise BadPattern(f"has more than {LONGEST} characters")
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as fault:
        raise BadPattern(f"is no regular expression: {fault}") from None
    walk(tree, within=False)
    if sum(pattern.count(one) for one in "*+{") > MOST_REPEATS:
        raise BadPattern(f"has more than {MOST_REPEATS} repetitions")
    return re.compile(pattern)


def walk(node: Any, *, within: bool) -> None:
    if isinstance(node, parser.SubPattern):
        for operation, argument in node.data:
            step(operation, argument, within=within)
    elif isinstance(node, list | tuple):
        for part in node:
            walk(part, within=within)


def step(operation: Any, argument: Any, *, within: bool) -> None:
    if operation in (codes.GROUPREF, codes.GROUPREF_EXISTS):
        raise BadPattern("refers back to a group, which is not allowed")
    if within and operation is codes.BRANCH:
        raise BadPattern("has alternatives within a repetition, which is not allowed")
    if operation in REPEATS:
        low, high, inner = argument
        if within and high != 1:
            raise BadPattern("has a repetition within a repetition, which is not allowed")
        walk(inner, within=within or high > 1 or low > 1)
        return
    walk(argument, within=within)
