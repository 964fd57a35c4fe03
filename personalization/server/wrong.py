"""What is wrong with a change of models and scenarios, each fault with the field that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """``field``: where it stands in the form, "" for the whole of it. ``message``: a sentence."""

    field: str
    message: str


class Wrong(ValueError):
    """A change that is refused as a whole; nothing of it was stored."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(one.message for one in problems))
        self.problems = list(problems)

    def of(self, field: str) -> list[str]:
        """The messages of one field."""
        return [one.message for one in self.problems if one.field == field]


def sentence(fault: Mapping[str, Any]) -> str:
    """What pydantic says of a value, as a sentence."""
    words = str(fault["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."
