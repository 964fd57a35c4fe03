"""What a kind of model is, and the registry of kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from personalization.server.learning.events import History

Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]
Parameters = Mapping[str, Any]
DAY_SECONDS = 86_400.0


class Serves(StrEnum):
    """How recommendations come from a model; `server.serving` has one function for each."""

    RANKING = "ranking"  # a score per item, whatever the context
    NEIGHBOURS = "neighbours"  # lists of the context items, each scaled to its best
    WEIGHTS = "weights"  # the same, their scores added as they are
    VISIT = "visit"  # the nearest visits of others
    BUNDLE = "bundle"  # the set that a context item is part of, itself included
    STEREOTYPE = "stereotype"  # lists of the user's attribute values
    NEWEST = "newest"  # the item store, newest first
    HISTORY = "history"  # the user's own items
    DUE = "due"  # what the user buys again and again
    LIST = "list"  # an editor's list
    SEGMENT_NEWEST = "segment_newest"  # what members of one segment did last
    SEGMENT_DUE = "segment_due"  # what members of one segment buy again and again
    NOTHING = "nothing"  # takes items away only


# What needs items to start from: the request's, or the user's history.
FROM_CONTEXT = {Serves.NEIGHBOURS, Serves.WEIGHTS, Serves.VISIT, Serves.BUNDLE, Serves.HISTORY}


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What a build produced. Row numbers of all arrays are positions in ``keys``.

    ``ranking``: shape (n,), a score per item, higher is better (empty for kinds that need a context).
    ``neighbours``: shape (n, k), row numbers, best first, -1 where there are fewer than k.
    ``scores``, ``support``: shape (n, k), of those neighbours; support counts users or baskets.
    ``sources``: what the rows of ``neighbours`` stand for where that is not the items themselves, such as
    ``country=DE``. ``extra``: further arrays of a kind by name.
    """

    keys: list[tuple[int, str]]
    ranking: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    neighbours: Int32 = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    scores: Float32 = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    support: Int32 = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    events: int = 0
    sources: list[str] = field(default_factory=list)
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Kind:
    """One kind of model. Stateless; ``learn`` is a pure function of its arguments."""

    name: ClassVar[str]
    serves: ClassVar[Serves]
    defaults: ClassVar[Parameters] = {}
    trained: ClassVar[bool] = True  # False: computed for each request, nothing to build
    reads_items: ClassVar[bool] = False  # History.items is filled
    reads_people: ClassVar[bool] = False  # History.people is filled
    needs_events: ClassVar[bool] = True  # without any there is nothing to learn
    relearns: ClassVar[bool] = False  # `relearn` gives something
    # Whether submodels, time slots and segment groups can be made of it (engine-protocol.md 5.1).
    divides: ClassVar[bool] = False

    @property
    def needs_context(self) -> bool:
        return self.serves in FROM_CONTEXT

    def codes(self, signal: str, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002
        """The event codes that it learns from; ``signal`` is the model's."""
        return (signal,)

    def learn(self, history: History, *, parameters: Parameters) -> Learned:  # noqa: ARG002
        """What the model knows after these events. Kinds that are computed for each request know nothing."""
        return Learned(keys=[], events=history.events)

    def relearn(  # noqa: PLR0913
        self, history: History, *, parameters: Parameters, known: Learned, since: int, most: int
    ) -> Learned | None:
        """``known`` with what happened after ``since`` (µs), for less than :meth:`learn` costs.

        None where the kind cannot, or where more than ``most`` items would be learnt again.
        """
        return None


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


def with_defaults(kind: Kind, parameters: Parameters) -> dict[str, Any]:
    """The parameters of a model, missing ones from its kind.

    Raises ValueError for one that the kind does not have, or that is not of the type of its default.
    """
    for name, value in parameters.items():
        if name not in kind.defaults:
            raise ValueError(f"{kind.name} has no parameter {name}={value!r}.")
        if not fits(value, kind.defaults[name]):
            expected = type(kind.defaults[name]).__name__.replace("float", "number").replace("int", "number")
            raise ValueError(f"The parameter {name} of {kind.name} is a {expected}; got {value!r}.")
    return {**kind.defaults, **parameters}


def fits(value: Any, default: Any) -> bool:
    if isinstance(default, int | float) and not isinstance(default, bool):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, list):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, type(default))
