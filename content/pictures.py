"""Pictures on pages. The process remembers what it has drawn, so that a page asks for no renditions.

Wagtail's own cache of renditions would pickle every picture that a page shows, out and in again.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from wagtail.images.models import AbstractImage, SourceImageIOError

from content.items.pictures import RENDITION, rendition_of

logger = logging.getLogger("content")

# A rendition that another process removed is still named for this long; editors' changes show at once.
KEPT_SECONDS = 300.0
MOST_KEPT = 5000

Key = tuple[object, ...]
_kept: dict[Key, tuple[float, Any]] = {}


def tolerant(element: Callable[..., Any]) -> Callable[..., Any]:
    """The element for a page that must render although the file is truncated or no picture."""

    def shown(picture: Any, *specs: str, **attributes: Any) -> Any:
        try:
            return element(picture, *specs, **attributes)
        except (OSError, SyntaxError) as error:  # Pillow calls a broken PNG a syntax error
            logger.warning("Picture %s (%s) cannot be read and is left out: %s", picture.pk, picture, error)
            return ""

    return shown


@tolerant
def image(picture: AbstractImage | None, spec: str, **attributes: Any) -> Any:
    """Return the element of a picture, "" without one: Wagtail's ``image`` of templates."""
    return "" if picture is None else rendition(picture, spec=spec).img_tag(attributes)


def rendition(picture: AbstractImage, *, spec: str) -> Any:
    """Return the rendition, drawing it when it is missing; one of this process if it is still good."""
    key = key_of(picture, spec)
    kept = known(key)
    if kept is None:
        try:
            kept = rendition_of(picture, spec=spec)
        except SourceImageIOError:
            return stand_in(picture)
        keep(key, kept)
    found = copy.copy(kept)  # other threads have the same one
    found.image = picture
    return found


def stand_in(picture: AbstractImage) -> Any:
    """What Wagtail shows for a picture whose file is gone: its alternative text."""
    missing = picture.get_rendition_model()(image=picture, width=0, height=0)
    missing.file.name = "not-found"
    return missing


def prepare(pictures: Iterable[AbstractImage | None]) -> None:
    """Fetch the renditions for cards that are not remembered, in one query for all of them."""
    missing = [one for one in pictures if one is not None and known(key_of(one, RENDITION)) is None]
    if missing:
        drawn = missing[0].get_rendition_model().objects.filter(filter_spec=RENDITION)
        prefetch_related_objects(
            missing, Prefetch("renditions", queryset=drawn, to_attr="prefetched_renditions")
        )


def key_of(picture: AbstractImage, spec: str) -> Key:
    """What a rendition is made of: an editor who changes one of these gets another."""
    focus = (
        picture.focal_point_x,
        picture.focal_point_y,
        picture.focal_point_width,
        picture.focal_point_height,
    )
    return (picture.pk, picture.file_hash, focus, spec)


def known(key: Key) -> Any:
    kept = _kept.get(key)
    return kept[1] if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS else None


def keep(key: Key, found: Any) -> None:
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = (time.monotonic(), found)


def forget() -> None:
    """Ask for every rendition afresh."""
    _kept.clear()
