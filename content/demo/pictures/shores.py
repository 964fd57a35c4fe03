"""Scenes by the sea and below it."""

from __future__ import annotations

from content.demo.pictures.canvas import Canvas, Colour, mix
from content.demo.pictures.elements import (
    palm,
    sail,
    sky,
    water,
)
from content.demo.pictures.palettes import Palette


def beach(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=430)
    c.hill(440, 60, p.far)
    water(c, p, top=436, bottom=700)
    sand = mix(p.light, p.horizon, 0.4)
    shore = c.crest(640, 46)
    c.poly([(-20, 800), *[(x, y - 16) for x, y in shore], (1240, 800)], mix(p.water, p.light, 0.75))
    c.poly([(-20, 800), *shore, (1240, 800)], sand)
    side = c.random.choice((120, 960))
    for offset in (0, 90, 170):
        palm(c, side + offset, 770, c.random.uniform(330, 460), p.near if offset else p.ground)
    x = 1080 - side + 60
    c.line([(x, 760), (x - 16, 640)], 6, p.light)
    c.pie(x - 18, 668, 96, 62, (188, 364), p.accent)
    c.pie(x - 18, 668, 40, 62, (186, 362), p.light)


def island(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=470)
    water(c, p, top=470, sparkle=70)
    for _ in range(c.random.randint(4, 6)):
        x, w = c.random.uniform(40, 1160), c.random.uniform(60, 150)
        tall = w * c.random.uniform(0.9, 1.7)
        y = c.random.uniform(490, 600)
        colour = mix(p.near, p.horizon, (620 - y) / 240)
        c.oval(x, y + 4, w * 1.25, 12, mix(p.water, p.light, 0.5))
        c.pie(x, y, w, tall, (180, 360), colour)
        c.pie(x + w * 0.3, y, w * 0.7, tall * 0.76, (180, 360), mix(colour, p.ground, 0.3))
    sail(c, c.random.uniform(300, 900), 690, 1.5, p)


def reef(c: Canvas, p: Palette) -> None:
    surface, depth = mix(p.water, p.light, 0.5), mix(p.ground, (4, 30, 70), 0.5)
    c.gradient(surface, depth)
    for x in (160, 420, 700, 930):
        for step in range(24):
            # A ray of light fades into the depth it crosses.
            y, drift = step * 25, step * 8
            here = mix(surface, depth, y / 800)
            colour = mix(here, p.light, 0.22 * (1 - step / 24))
            c.poly(
                [
                    (x + drift, y),
                    (x + 70 + drift * 1.2, y),
                    (x + 80 + drift * 1.2, y + 25),
                    (x + 8 + drift, y + 25),
                ],
                colour,
            )
    corals(c, p)
    for _ in range(9):
        fish(
            c,
            c.random.uniform(120, 1080),
            c.random.uniform(150, 520),
            c.random.uniform(0.6, 1.5),
            c.random.choice((p.accent, p.light, p.sun)),
            p,
        )
    for _ in range(26):
        c.ring(
            c.random.uniform(0, 1200),
            c.random.uniform(30, 600),
            *(c.random.uniform(4, 11),) * 2,
            p.light,
            1.6,
        )


def corals(c: Canvas, p: Palette) -> None:
    c.hill(700, 70, mix(p.ground, p.near, 0.3))
    for _ in range(13):
        x, tall = c.random.uniform(20, 1180), c.random.uniform(70, 190)
        colour = c.random.choice(
            (p.accent, mix(p.accent, (240, 90, 160), 0.6), mix(p.accent, p.sun, 0.5), p.mid)
        )
        for branch in range(-2, 3):
            c.line(
                [
                    (x, 790),
                    (x + branch * tall * 0.12, 760 - tall * 0.5),
                    (x + branch * tall * 0.27, 760 - tall + abs(branch) * 20),
                ],
                12,
                colour,
            )
            c.disc(x + branch * tall * 0.27, 760 - tall + abs(branch) * 20, 9, colour)
    c.hill(775, 30, p.ground)


def fish(c: Canvas, x: float, y: float, size: float, colour: Colour, p: Palette) -> None:
    c.poly(
        [(x - 34 * size, y), (x - 62 * size, y - 22 * size), (x - 62 * size, y + 22 * size)],
        mix(colour, p.ground, 0.25),
    )
    c.oval(x, y, 42 * size, 24 * size, colour)
    c.rect(
        (x - 4 * size, y - 22 * size, x + 6 * size, y + 22 * size),
        mix(colour, p.ground, 0.25),
        radius=4 * size,
    )
    c.disc(x + 24 * size, y - 5 * size, 4.4 * size, p.ground)
