"""A drawing surface in picture units (1200 by 800) that is drawn larger and scaled down, for smooth edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 1200, 800
OVERSAMPLING = 2

Colour = tuple[int, int, int]
Point = tuple[float, float]


def rgb(value: str) -> Colour:
    return int(value[0:2], 16), int(value[2:4], 16), int(value[4:6], 16)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """``share`` 0 gives the first colour, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


class Canvas:
    """Shapes in picture units; colours are opaque, glow and haze are mixed by the caller."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.image = Image.new("RGB", (WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING))
        self.draw = ImageDraw.Draw(self.image)

    def poly(self, points: Sequence[Point], colour: Colour) -> None:
        self.draw.polygon([(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points], fill=colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        scaled = [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points]
        self.draw.line(scaled, fill=colour, width=max(1, round(width * OVERSAMPLING)), joint="curve")

    def rect(self, box: tuple[float, float, float, float], colour: Colour, *, radius: float = 0) -> None:
        left, top, right, bottom = (value * OVERSAMPLING for value in box)
        if right <= left or bottom <= top:
            return
        if radius:
            self.draw.rounded_rectangle((left, top, right, bottom), radius * OVERSAMPLING, fill=colour)
        else:
            self.draw.rectangle((left, top, right, bottom), fill=colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        box = (x - rx, y - ry, x + rx, y + ry)
        self.draw.ellipse([value * OVERSAMPLING for value in box], fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self.oval(x, y, radius, radius, colour)

    def ring(self, x: float, y: float, rx: float, ry: float, colour: Colour, width: float) -> None:
        box = [value * OVERSAMPLING for value in (x - rx, y - ry, x + rx, y + ry)]
        self.draw.ellipse(box, outline=colour, width=round(width * OVERSAMPLING))

    def arc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        span: tuple[float, float],
        colour: Colour,
        width: float,
    ) -> None:
        box = [value * OVERSAMPLING for value in (x - rx, y - ry, x + rx, y + ry)]
        self.draw.arc(box, span[0], span[1], fill=colour, width=round(width * OVERSAMPLING))

    def pie(
        self, x: float, y: float, rx: float, ry: float, span: tuple[float, float], colour: Colour
    ) -> None:
        box = [value * OVERSAMPLING for value in (x - rx, y - ry, x + rx, y + ry)]
        self.draw.pieslice(box, span[0], span[1], fill=colour)

    def gradient(self, top: Colour, bottom: Colour, *, y0: float = 0, y1: float = HEIGHT) -> None:
        rows = round((y1 - y0) * OVERSAMPLING)
        share = np.linspace(0.0, 1.0, rows)[:, None]
        column = (np.array(top) * (1 - share) + np.array(bottom) * share).astype(np.uint8)
        band = Image.fromarray(column[:, None, :]).resize((self.image.width, rows), Image.Resampling.NEAREST)
        self.image.paste(band, (0, round(y0 * OVERSAMPLING)))

    def crest(self, y: float, height: float, *, rough: float = 1.0, step: int = 12) -> list[Point]:
        """A hilly line from left to right around ``y``; ``rough`` adds small waves."""
        waves = [
            (height / n**1.1, self.random.uniform(0.6, 1.5) * n * math.tau / WIDTH, self.random.random() * 7)
            for n in (1, 2, 3, *((7, 13, 23) if rough > 1 else ()))
        ]
        return [
            (x, y - sum(a * math.sin(f * x + p) for a, f, p in waves) / 2)
            for x in range(-step, WIDTH + 2 * step, step)
        ]

    def hill(self, y: float, height: float, colour: Colour, *, rough: float = 1.0) -> list[Point]:
        crest = self.crest(y, height, rough=rough)
        self.poly([(-20, HEIGHT), *crest, (WIDTH + 40, HEIGHT)], colour)
        return crest

    def finished(self) -> Image.Image:
        return self.image.reduce(OVERSAMPLING)
