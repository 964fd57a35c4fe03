"""Pictures of the demo site, drawn by code: nothing is downloaded and nobody else's rights are touched.

A picture is named by a word or two: ``"harbour sunset"`` (scene and mood) or ``"tent green"`` (product and
colour). The same words with the same seed always give the same picture.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image

from content.demo.pictures import country, nature, outings, rooms, shores, tables, towns
from content.demo.pictures.canvas import Canvas
from content.demo.pictures.goods import COLOURS, GOODS, studio
from content.demo.pictures.palettes import PALETTES, Palette

SCENES: dict[str, Callable[[Canvas, Palette], None]] = {
    scene.__name__.replace("_", "-"): scene
    for scene in (
        *(nature.mountains, nature.lake, shores.beach, shores.island, nature.desert, nature.forest),
        *(nature.volcano, nature.fjord, nature.aurora, nature.canyon, nature.savanna, nature.waterfall),
        *(nature.terraces, shores.reef),
        *(towns.skyline, towns.bridge, towns.old_town, towns.harbour, towns.fishing_nets, towns.canal),
        *(towns.domes, towns.temple, towns.medina, country.lighthouse, country.railway, country.camp),
        *(country.vineyard, country.arches),
        *(outings.tram, outings.greenway, outings.whale, rooms.library, rooms.loom),
        *(tables.bowl, tables.plate, tables.cup, tables.market, tables.bread, tables.teapot, tables.grill),
    )
}


class UnknownPicture(ValueError):
    """A description names no scene, product, mood or colour."""


def draw(description: str, *, seed: str) -> Image.Image:
    """Return the picture of 1200 by 800 pixels that ``description`` names; ``seed`` varies its details."""
    motif, _, mood = description.partition(" ")
    canvas = Canvas(Random(f"{description} {seed}"))  # noqa: S311 - a picture, not a secret
    if motif in SCENES and mood in PALETTES:
        SCENES[motif](canvas, PALETTES[mood])
    elif motif in GOODS and mood in COLOURS:
        studio(canvas, COLOURS[mood])
        GOODS[motif](canvas, COLOURS[mood])
    else:
        raise UnknownPicture(
            f'There is no picture "{description}". Scenes: {", ".join(SCENES)} with {", ".join(PALETTES)}; '
            f"goods: {', '.join(GOODS)} with {', '.join(COLOURS)}."
        )
    return canvas.finished()
