"""The rendition of a picture that items carry."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from wagtail.images.models import AbstractImage, Filter

# One fixed size for all exported pictures: each further rendition costs about 33 ms an image.
RENDITION = "fill-800x600|format-jpeg"


def rendition_of(picture: AbstractImage, *, spec: str = RENDITION) -> Any:
    """Return the stored rendition, drawing it when missing.

    Not ``get_rendition``: it leaves its temporary file open until the collector comes by. Raises what
    Willow and Pillow raise for a file that is missing or no picture.
    """
    chosen = picture.clean_filter_for_svg(Filter(spec=spec))
    try:
        return picture.find_existing_rendition(chosen)
    except picture.get_rendition_model().DoesNotExist:
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
