"""Goods of the shop on a plain background, each in the colour of its product."""

from __future__ import annotations

from content.demo.pictures.goods import bags, camping, clothes, optics, paper
from content.demo.pictures.goods.studio import COLOURS, studio

__all__ = ["COLOURS", "GOODS", "studio"]

GOODS = {
    drawing.__name__.replace("_", "-"): drawing
    for group in (bags, camping, paper, clothes, optics)
    for drawing in group.DRAWINGS
}
