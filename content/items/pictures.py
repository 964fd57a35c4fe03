"""The rendition of a picture that items carry, and the variations that are asked for by name."""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import closing
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.db import DatabaseError, models
from wagtail.images import get_image_model
from wagtail.images.models import AbstractImage, Filter

logger = logging.getLogger("personalization")

# One fixed size for all exported pictures: each further rendition costs about 33 ms an image.
RENDITION = "fill-800x600|format-jpeg"


def rendition_of(picture: AbstractImage, *, spec: str = RENDITION) -> Any:
    """Return the stored rendition, drawing it when missing; ``spec`` is one of Wagtail's filters.

    Not ``get_rendition``: it leaves its temporary file open until the collector comes by. Raises what
    Willow and Pillow raise for a file that is missing or no picture.
    """
    return drawn_before(picture, spec=spec) or draw(picture, spec=spec)


def drawn_before(picture: AbstractImage, *, spec: str) -> Any | None:
    """The stored rendition, None if there is none yet."""
    try:
        return picture.find_existing_rendition(picture.clean_filter_for_svg(Filter(spec=spec)))
    except picture.get_rendition_model().DoesNotExist:
        return None


def draw(picture: AbstractImage, *, spec: str) -> Any:
    chosen = picture.clean_filter_for_svg(Filter(spec=spec))
    # Opened here: a missing file must fail before Wagtail makes its temporary one.
    with (
        picture.open_file() as source,
        closing(picture.generate_rendition_file(chosen, source=source)) as file,
    ):
        rendition, _ = picture.renditions.get_or_create(
            filter_spec=chosen.spec,
            focal_point_key=chosen.get_cache_key(picture),
            defaults={"file": file},
        )
        return rendition


def is_picture(value: object) -> bool:
    """Whether a value of an item can be the address of a rendition."""
    return isinstance(value, str) and value.startswith(settings.MEDIA_URL)


def in_variation(addresses: Collection[str], *, variation: str, most: int | None = None) -> dict[str, str]:
    """Return the addresses of these exported pictures in a variation of ``IMAGE_VARIATIONS``.

    What is missing in the answer stays as it was exported: the variation is not configured, the address
    is no rendition of ours, or the picture cannot be read. Draws what nobody asked for before, about
    33 ms a picture, up to ``most`` of them: the next call goes on where this one stopped.
    """
    spec = settings.IMAGE_VARIATIONS.get(variation)
    if spec is None or not addresses:
        return {}
    files = {unquote(address.removeprefix(settings.MEDIA_URL)): address for address in addresses}
    found: dict[str, str] = {}
    left = len(files) if most is None else most
    for exported in _exported(files, spec=spec):
        try:
            rendition = drawn_before(exported.image, spec=spec)
            if rendition is None:
                if left == 0:
                    continue
                left -= 1
                rendition = draw(exported.image, spec=spec)
            found[files[exported.file.name]] = rendition.url
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - one unreadable picture must not take the others with it
            logger.warning("No variation %s of picture %s: %s", variation, exported.image_id, error)
    return found


def _exported(files: Collection[str], *, spec: str) -> models.QuerySet[Any]:
    pictures = get_image_model()
    rows: models.QuerySet[Any] = pictures.get_rendition_model().objects.filter(
        filter_spec=RENDITION, file__in=files
    )
    return rows.prefetch_related(
        models.Prefetch("image", queryset=pictures.objects.prefetch_renditions(spec))
    )
