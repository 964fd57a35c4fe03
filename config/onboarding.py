"""The first steps with an installation: each part adds its own, and each says by itself when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from config.customers import reach

Words = str | Promise  # translated for whoever reads


@dataclass(frozen=True, kw_only=True)
class Step:
    """``text``: what it is for and how, to be read within a minute. ``done``: whether somebody did it, one
    look into the database. ``url_name``: the page where it is done. ``permission``: of those it is for; empty
    for all. ``allowed``: asked of a user in place of a permission. ``order``: among all steps.
    """

    name: str
    title: Words
    text: Words
    url_name: str
    done: Callable[[], bool]
    order: int
    permission: str = ""
    allowed: Callable[[Any], bool] | None = None

    def is_for(self, user: Any) -> bool:
        """Whether somebody may do it, be it for a single site."""
        if self.allowed is not None:
            return self.allowed(user)
        return not self.permission or reach.anywhere(user, self.permission)


_steps: dict[str, Step] = {}


def register(*steps: Step) -> None:
    """For the hooks of the parts above, while they are loaded."""
    _steps.update({one.name: one for one in steps})


def all_steps() -> list[Step]:
    return sorted(_steps.values(), key=lambda one: one.order)
