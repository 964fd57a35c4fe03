"""For how long the segments of visitors without an account are kept (reference `cdp.md` 4.8).

``ibexa_segmentation.anonymous.cache`` of the sites file goes before ``CDP_SEGMENTATION_ANONYMOUS_CACHE``.
"""

from __future__ import annotations

from typing import Annotated, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from config import site_access
from config.site_access.load import SitesFile
from config.site_access.placeholders import BadPlaceholder, resolve, walked

OWN_POOL = "visitors"
# The name that files of the other system have; ours is the one made for it.
FOREIGN_POOL = "ibexa.cache_pool"
DAY = 24 * 3600


def known_pool(value: str) -> str:
    name = OWN_POOL if value == FOREIGN_POOL else value
    if name not in settings.CACHES:
        raise ValueError(f"must be one of {', '.join(sorted(settings.CACHES))}; got {value[:80]!r}")
    return name


class Keeping(BaseModel):
    """``ttl``: seconds; ``pool``: the name of a cache of Django's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: StrictBool = True
    ttl: Annotated[StrictInt, Field(ge=1, le=DAY)] = 300
    pool: Annotated[str, AfterValidator(known_pool)] = OWN_POOL


class Anonymous(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cache: dict[str, Any] = {}


class Segmentation(BaseModel):
    """The global key ``ibexa_segmentation``."""

    model_config = ConfigDict(extra="forbid")

    anonymous: Anonymous = Anonymous()


_known: tuple[SitesFile, dict[str, Any], Keeping, str] | None = None


def current() -> Keeping:
    return read()[0]


def fault() -> str:
    """What is wrong with the sites file's part, a sentence for `doctor`; the settings hold then."""
    return read()[1]


def read() -> tuple[Keeping, str]:
    global _known  # noqa: PLW0603 - read again when the file or the settings are others
    base: dict[str, Any] = settings.CDP_SEGMENTATION_ANONYMOUS_CACHE
    try:
        file = site_access.current_file()
    except ImproperlyConfigured:
        return Keeping.model_validate(base), ""
    if _known is None or _known[0] is not file or _known[1] is not base:
        _known = (file, base, *parsed(file, base))
    return _known[2], _known[3]


def parsed(file: SitesFile, base: dict[str, Any]) -> tuple[Keeping, str]:
    try:
        written = walked(file.segmentation, lambda value, _path: resolve(value))
        asked = Segmentation.model_validate(written).anonymous.cache
        return Keeping.model_validate(base | asked), ""
    except BadPlaceholder as wrong:
        sentence = f"ibexa_segmentation: {wrong}."
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        place = path if path.startswith("anonymous") else f"anonymous.cache.{path}"
        sentence = f"ibexa_segmentation.{place}: {first['msg'].removeprefix('Value error, ')}."
    return Keeping.model_validate(base), sentence
