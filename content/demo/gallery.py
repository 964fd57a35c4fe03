"""Files of the demo's pictures: each entry's picture and the size that cards show, as JPEG.

Runs without Django: ``python -m content.demo.gallery DIRECTORY`` may draw in a process of its own while the
database is still being set up; what is there already is not drawn again.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from config.private import PUBLIC_FILE, public_folder
from content.demo import catalogue, pictures

WORKERS = 2
CARD_SPEC = "fill-800x600|format-jpeg"  # what the read model exports as the picture of an item
FULL_SPEC = "width-1200|format-jpeg"


@dataclass(frozen=True, kw_only=True)
class Painting:
    """Names below the media folder: the original and its two renditions, by filter specification."""

    key: str

    @property
    def original(self) -> str:
        return f"original_images/lodestar-{self.key}.jpg"

    @property
    def renditions(self) -> dict[str, tuple[str, int, int]]:
        stem = f"images/lodestar-{self.key}"
        return {
            CARD_SPEC: (f"{stem}.fill-800x600.format-jpeg.jpg", 800, 600),
            FULL_SPEC: (f"{stem}.width-1200.format-jpeg.jpg", 1200, 800),
        }


def paint(media: Path, *, progress: Callable[[int, int], None] | None = None) -> None:
    """Draw every picture that is missing below ``media``; ``progress`` gets (done, all)."""
    todo = [
        (entry.key, entry.picture, str(media))
        for entry in catalogue.entries()
        if not all((media / name).exists() for name in files_of(Painting(key=entry.key)))
    ]
    for folder in ("original_images", "images"):
        public_folder(media / folder, root=media)
    if not todo:
        return
    # Spawned, not forked: the caller may run threads with database connections.
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(paint_one, todo, chunksize=8), start=1):
            if progress:
                progress(done, len(todo))


def files_of(painting: Painting) -> list[str]:
    return [painting.original, *(name for name, *_ in painting.renditions.values())]


def paint_one(task: tuple[str, str, str]) -> None:
    key, picture, media = task
    painting, drawn = Painting(key=key), pictures.draw(picture, seed=key)
    save(drawn, Path(media) / painting.original)
    for name, width, height in painting.renditions.values():
        save(ImageOps.fit(drawn, (width, height), Image.Resampling.BILINEAR), Path(media) / name)


def save(image: Image.Image, path: Path) -> None:
    """Write under a temporary name and rename: nobody may see half a picture."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    image.save(temporary, "JPEG", quality=84)
    temporary.chmod(PUBLIC_FILE)
    temporary.replace(path)


if __name__ == "__main__":
    paint(Path(sys.argv[1]))
