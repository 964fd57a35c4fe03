"""What a kind of model is, and the registry of kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from personalization.server.learning.events import History

Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]
DAY_SECONDS = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What a build produced. Row numbers of all arrays are positions in ``keys``.

    ``ranking``: shape (n,), a score per item, higher is better (empty for kinds that need a context).
    ``neighbours``: shape (n, k), row numbers, best first, -1 where there are fewer than k.
    ``scores``, ``support``: shape (n, k), of those neighbours; support counts users or baskets.
    """

    keys: list[tuple[int, str]]
    ranking: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    neighbours: Int32 = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    scores: Float32 = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    support: Int32 = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    events: int = 0


class Kind(Protocol):
    """One kind of model. Stateless; ``learn`` is a pure function of its arguments."""

    name: ClassVar[str]
    needs_context: ClassVar[bool]
    trained: ClassVar[bool]  # False: computed for each request, nothing to build
    defaults: ClassVar[Mapping[str, float]]

    def learn(self, history: History, *, parameters: Mapping[str, float]) -> Learned: ...


_kinds: dict[str, Kind] = {}
K = TypeVar("K", bound=Kind)


def register(cls: type[K]) -> type[K]:
    """Class decorator: make a kind of model known by its name."""
    _kinds[cls.name] = cls()
    return cls


def kind(name: str) -> Kind:
    """The kind called ``name``; raises KeyError with the known names."""
    if name not in _kinds:
        raise KeyError(f"There is no kind of model {name!r}; known: {', '.join(sorted(_kinds))}.")
    return _kinds[name]


def kinds() -> dict[str, Kind]:
    return dict(_kinds)


def with_defaults(kind: Kind, parameters: Mapping[str, Any]) -> dict[str, float]:
    """The parameters of a model, missing ones from its kind. Unknown or non-numeric ones are refused."""
    for name, value in parameters.items():
        if name not in kind.defaults or isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{kind.name} has no numeric parameter {name}={value!r}.")
    return {**kind.defaults, **parameters}
