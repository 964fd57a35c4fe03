"""What several scenes are made of: skies, peaks, trees, water, huts and sails."""

from __future__ import annotations

import math

from content.demo.pictures.canvas import HEIGHT, WIDTH, Canvas, Colour, mix
from content.demo.pictures.palettes import Palette


def sky(c: Canvas, p: Palette, *, horizon: float = 560) -> None:
    c.gradient(p.sky, p.horizon, y1=horizon)
    c.gradient(p.horizon, p.horizon, y0=horizon)
    x, y = c.random.uniform(220, 980), c.random.uniform(130, 270)
    size = c.random.uniform(44, 72)
    if p.night:
        for _ in range(90):
            c.disc(
                c.random.uniform(0, WIDTH),
                c.random.uniform(0, horizon * 0.8),
                c.random.uniform(0.8, 2.2),
                p.light,
            )
        c.disc(x, y, size * 0.8, p.sun)
        c.disc(x + size * 0.34, y - size * 0.16, size * 0.7, mix(p.sky, p.horizon, y / horizon))
        return
    around = mix(p.sky, p.horizon, y / horizon)
    for step, share in ((3.0, 0.12), (2.2, 0.24), (1.5, 0.42)):
        c.disc(x, y, size * step, mix(around, p.sun, share))
    c.disc(x, y, size, p.sun)
    for _ in range(c.random.randint(2, 4)):
        cloud(
            c,
            c.random.uniform(60, 1140),
            c.random.uniform(70, 300),
            c.random.uniform(0.6, 1.3),
            mix(p.horizon, p.light, 0.6),
        )


def cloud(c: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    width = 130 * size
    c.rect((x - width, y - 11 * size, x + width, y + 11 * size), colour, radius=11 * size)
    c.rect((x - width * 0.6, y - 30 * size, x + width * 0.45, y + 4 * size), colour, radius=16 * size)
    c.rect((x - width * 0.2, y + 2 * size, x + width * 1.35, y + 20 * size), colour, radius=9 * size)


def birds(c: Canvas, colour: Colour, *, count: int = 5) -> None:
    x, y = c.random.uniform(250, 850), c.random.uniform(150, 300)
    for _ in range(count):
        bx, by, w = x + c.random.uniform(-130, 130), y + c.random.uniform(-60, 60), c.random.uniform(9, 15)
        c.arc(bx - w, by, w, w * 0.7, (200, 350), colour, 2.4)
        c.arc(bx + w, by, w, w * 0.7, (190, 340), colour, 2.4)


def peak(
    c: Canvas, x: float, base: float, height: float, width: float, colours: tuple[Colour, Colour, Colour]
) -> None:
    """One mountain with a lit and a shaded face and a cap of snow."""
    lit, shade, snow = colours
    top = base - height
    ridge = [(x, top)]
    for step in range(1, 7):
        share = step / 6
        ridge.append((x + width * 0.16 * math.sin(step * 2.1) * share, top + height * share))
    c.poly([(x - width, base), (x, top), *ridge[1:]], lit)
    c.poly([(x, top), *ridge[1:], (x + width, base)], shade)
    if height < 170:
        return
    cap = height * 0.3
    edge, left, right = top + cap, width * 0.3, width * 0.3
    c.poly(
        [
            (x, top),
            (x - left, edge),
            (x - left * 0.55, edge - cap * 0.22),
            (x - left * 0.2, edge + cap * 0.12),
        ]
        + [(x + right * 0.1, edge - cap * 0.25), (x + right * 0.45, edge + cap * 0.1), (x + right, edge)],
        snow,
    )
    c.poly(
        [
            (x, top),
            (x + right * 0.12, edge - cap * 0.26),
            (x + right * 0.45, edge + cap * 0.1),
            (x + right, edge),
        ],
        mix(snow, shade, 0.3),
    )


def range_of_peaks(c: Canvas, p: Palette, *, base: float, height: float, colour: Colour, count: int) -> None:
    places = sorted(c.random.uniform(-60, WIDTH + 60) for _ in range(count))
    for place in sorted(places, key=lambda _: c.random.random()):
        tall = height * c.random.uniform(0.6, 1.1)
        peak(
            c,
            place,
            base,
            tall,
            tall * c.random.uniform(0.75, 1.05),
            (mix(colour, p.horizon, 0.16), colour, p.light),
        )


def pine(c: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    c.rect((x - size * 0.05, y - size * 0.2, x + size * 0.05, y), mix(colour, (40, 24, 20), 0.5))
    for level in range(3):
        top, width = y - size * (1 - level * 0.26), size * (0.2 + level * 0.09)
        c.poly([(x, top), (x - width, top + size * 0.42), (x + width, top + size * 0.42)], colour)
        c.poly(
            [(x, top), (x, top + size * 0.42), (x + width, top + size * 0.42)],
            mix(colour, (10, 20, 30), 0.16),
        )


def palm(c: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    lean = c.random.uniform(-0.25, 0.25) * size
    trunk = [(x + lean * (t / 8) ** 1.6, y - size * t / 8) for t in range(9)]
    c.line(trunk, size * 0.055, mix(colour, (70, 40, 30), 0.5))
    tx, ty = trunk[-1]
    for angle in (-170, -140, -105, -70, -35, -8, 25):
        reach, rad = size * 0.46, math.radians(angle)
        mx, my = tx + math.cos(rad) * reach * 0.6, ty + math.sin(rad) * reach * 0.45
        ex, ey = tx + math.cos(rad) * reach, ty + math.sin(rad) * reach * 0.45 + size * 0.16
        c.poly([(tx, ty), (mx, my - size * 0.05), (ex, ey), (mx, my + size * 0.045)], colour)


def round_tree(c: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    c.rect((x - size * 0.05, y - size * 0.5, x + size * 0.05, y), mix(colour, (60, 36, 30), 0.6))
    c.disc(x, y - size * 0.7, size * 0.36, colour)
    c.disc(x - size * 0.2, y - size * 0.55, size * 0.24, mix(colour, (0, 20, 30), 0.12))
    c.disc(x + size * 0.14, y - size * 0.82, size * 0.18, mix(colour, (255, 255, 230), 0.16))


def water(c: Canvas, p: Palette, *, top: float, bottom: float = HEIGHT, sparkle: int = 46) -> None:
    c.gradient(mix(p.water, p.horizon, 0.45), mix(p.water, p.near, 0.35), y0=top, y1=bottom)
    for _ in range(sparkle):
        depth = c.random.random() ** 1.5
        y = top + 6 + (bottom - top) * depth
        x, half = c.random.uniform(0, WIDTH), 12 + 60 * depth * c.random.random() + 10
        c.rect(
            (x - half, y, x + half, y + 1.6 + 3.2 * depth),
            mix(p.water, p.light, 0.22 + 0.3 * (1 - depth)),
            radius=2,
        )


def hut(c: Canvas, x: float, y: float, size: float, wall: Colour, p: Palette) -> None:
    c.rect((x - 24 * size, y - 34 * size, x + 24 * size, y), wall)
    c.poly([(x - 30 * size, y - 32 * size), (x, y - 62 * size), (x + 30 * size, y - 32 * size)], p.ground)
    c.rect((x - 8 * size, y - 22 * size, x + 8 * size, y - 8 * size), p.light)


def sail(c: Canvas, x: float, y: float, size: float, p: Palette) -> None:
    c.poly([(x, y - 130 * size), (x, y - 14 * size), (x - 56 * size, y - 14 * size)], p.accent)
    c.poly(
        [(x + 5 * size, y - 112 * size), (x + 5 * size, y - 14 * size), (x + 44 * size, y - 14 * size)],
        p.light,
    )
    c.poly(
        [
            (x - 62 * size, y - 8 * size),
            (x + 56 * size, y - 8 * size),
            (x + 34 * size, y + 14 * size),
            (x - 44 * size, y + 14 * size),
        ],
        p.ground,
    )
    c.rect((x - 80 * size, y + 18 * size, x + 76 * size, y + 21 * size), mix(p.water, p.light, 0.5), radius=2)
