"""Places where a project changes recommendations before they are shown.

A listener gets the :class:`Draft` and may change ``items``::

    @recommendation_listener(priority=-20)
    def no_duplicates(draft: Draft) -> None:
        draft.items = ...

Higher priorities run first: the engine fills the list at +10, the fallback fills an empty one behind -10. So
-10 and higher run between both, -11 and lower at the end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest

from config.site_access import SiteAccess
from personalization.client.answers import Recommendation

logger = logging.getLogger("personalization")

ENGINE = 10
FALLBACK = -10.5  # reference 6.9: what older projects registered at -10 runs before it, below -10 after it


@dataclass(kw_only=True)
class Draft:
    """A call for recommendations and what has been found for it so far."""

    request: HttpRequest
    site: SiteAccess
    scenario: str
    language: str  # eng-GB
    limit: int
    context: Sequence[int | str] = ()
    context_type: int | None = None
    category_path: str = ""
    output_type_id: int | None = None
    cross_content_type: bool | None = None
    use_context_category_path: bool | None = None
    recommend_category: bool | None = None
    attributes: Sequence[str] = ()
    filters: Mapping[str, object] = field(default_factory=dict)
    items: list[Recommendation] = field(default_factory=list)


Listener = Callable[[Draft], None]
_listeners: list[tuple[float, Listener]] = []


def recommendation_listener(*, priority: float) -> Callable[[Listener], Listener]:
    """Register the decorated function; among equal priorities the first registered runs first."""

    def register(listener: Listener) -> Listener:
        _listeners.append((priority, listener))
        _listeners.sort(key=lambda entry: -entry[0])
        return listener

    return register


def forget(listener: Listener) -> None:
    """Undo a registration."""
    _listeners[:] = [entry for entry in _listeners if entry[1] is not listener]


def run(draft: Draft) -> None:
    """Call every listener. One that fails is logged and left out: a page never breaks for it."""
    for _priority, listener in tuple(_listeners):
        try:
            listener(draft)
        except Exception:  # noqa: BLE001 - projects' own code may fail in any way
            logger.exception("The recommendation listener %r failed.", listener)
