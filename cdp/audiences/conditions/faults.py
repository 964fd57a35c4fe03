"""What is wrong with a condition document, with a JSON pointer to where (reference `cdp.md` 3.3)."""

from __future__ import annotations

from typing import Any, NamedTuple

LONGEST_SHOWN = 80


class Problem(NamedTuple):
    """``code``: unknown_event, unknown_attribute, bad_operator, bad_value, bad_window, too_deep,
    too_many_nodes, cycle, use_did_not, empty_group, unknown_audience; as a warning type_mismatch."""

    code: str
    pointer: str
    message: str

    def document(self) -> dict[str, str]:
        return self._asdict()


class BadDefinition(ValueError):
    """The document means nothing; ``problems`` says all that is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{one.pointer or '/'}: {one.message}" for one in problems))
        self.problems = problems


def shown(value: Any) -> str:
    """A value in a sentence, cut."""
    try:
        text = repr(value)
    except RecursionError:
        return "something that is nested too deeply"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
