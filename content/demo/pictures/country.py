"""What people built outside towns: lighthouses, railways, camps, vineyards."""

from __future__ import annotations

from content.demo.pictures.canvas import Canvas, mix
from content.demo.pictures.elements import (
    birds,
    hut,
    peak,
    pine,
    range_of_peaks,
    sail,
    sky,
    water,
)
from content.demo.pictures.palettes import Palette


def lighthouse(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=500)
    water(c, p, top=500)
    c.poly([(700, 800), (640, 640), (760, 560), (900, 520), (1060, 500), (1200, 490), (1200, 800)], p.near)
    c.poly([(700, 800), (640, 640), (760, 620), (830, 800)], mix(p.near, p.ground, 0.5))
    x, base = 960, 520
    c.poly([(x - 46, base), (x - 30, 240), (x + 30, 240), (x + 46, base)], p.light)
    for band in (0, 2):
        top, low = 300 + band * 56, 356 + band * 56
        c.poly(
            [
                (x - 33 - band * 3, top),
                (x + 33 + band * 3, top),
                (x + 37 + band * 3, low),
                (x - 37 - band * 3, low),
            ],
            p.accent,
        )
    c.rect((x - 40, 226, x + 40, 242), p.ground)
    c.rect((x - 22, 184, x + 22, 226), p.sun)
    c.pie(x, 184, 28, 30, (180, 360), p.accent)
    hut(c, 1080, 516, 1.2, mix(p.light, p.accent, 0.2), p)
    sail(c, 330, 660, 1.2, p)
    birds(c, p.ground)


def railway(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=520)
    range_of_peaks(c, p, base=560, height=330, colour=p.mid, count=4)
    c.hill(540, 60, p.near)
    stone = mix(p.light, p.far, 0.5)
    c.rect((0, 470, 1200, 500), stone)
    for x in range(-40, 1240, 150):
        c.rect((x - 16, 496, x + 16, 720), stone)
        c.rect((x + 6, 496, x + 16, 720), mix(stone, p.ground, 0.2))
        c.arc(x + 75, 562, 66, 66, (180, 360), stone, 22)
    for car in range(4):
        left = 230 + car * 190
        c.rect((left, 396, left + 182, 464), p.accent, radius=12)
        c.rect((left, 438, left + 182, 448), p.light)
        for pane in range(5):
            c.rect(
                (left + 14 + pane * 33, 408, left + 38 + pane * 33, 430), mix(p.light, p.sun, 0.5), radius=4
            )
    for spot, y in c.hill(700, 70, p.ground)[2::6]:
        pine(c, spot, y + 50, c.random.uniform(80, 140), mix(p.ground, p.near, 0.3))


def camp(c: Canvas, p: Palette) -> None:
    sky(c, p)
    range_of_peaks(c, p, base=600, height=270, colour=p.mid, count=5)
    c.hill(600, 50, p.near)
    c.hill(680, 30, p.ground)
    for x in (70, 150, 1010, 1090, 1160, 880):
        pine(c, x, 720, c.random.uniform(180, 280), mix(p.ground, p.near, 0.25))
    tent(c, 520, 730, 1.5, p)
    c.disc(820, 716, 64, mix(p.ground, p.accent, 0.3))
    c.poly([(796, 734), (806, 686), (820, 652), (834, 690), (846, 734)], p.accent)
    c.poly([(808, 734), (820, 694), (832, 734)], p.sun)


def tent(c: Canvas, x: float, y: float, size: float, p: Palette) -> None:
    c.poly([(x - 120 * size, y), (x, y - 130 * size), (x + 120 * size, y)], p.accent)
    c.poly(
        [
            (x, y - 130 * size),
            (x + 170 * size, y - 108 * size),
            (x + 240 * size, y - 8 * size),
            (x + 120 * size, y),
        ],
        mix(p.accent, p.ground, 0.25),
    )
    c.poly(
        [(x - 36 * size, y), (x, y - 130 * size), (x + 36 * size, y)],
        p.light if p.night else mix(p.ground, p.accent, 0.2),
    )


def vineyard(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=470)
    c.hill(450, 100, p.far)
    crest = c.hill(500, 80, p.mid)
    top = min(crest[20:80], key=lambda point: point[1])
    hut(c, top[0], top[1] + 14, 1.5, p.light, p)
    for side in (-70, 80, 120):
        peak(c, top[0] + side, top[1] + 24, 120, 14, (p.ground, p.ground, p.ground))
    c.hill(580, 30, p.near)
    for row in range(-9, 10):
        x = 600 + row * 150
        c.line([(600 + row * 36, 590), (x, 810)], 15, mix(p.ground, p.near, 0.3))
        for step in range(5):
            share = step / 5 + 0.08
            c.disc(
                600 + row * 36 + (x - 600 - row * 36) * share,
                590 + 220 * share,
                8 + 13 * share,
                p.near if step % 2 else mix(p.near, p.accent, 0.3),
            )


def arches(c: Canvas, p: Palette) -> None:
    """A museum hall or ruin: columns, arches and light."""
    sky(c, p, horizon=620)
    stone = mix(p.light, p.far, 0.35)
    c.hill(560, 50, p.mid)
    c.rect((0, 660, 1200, 800), mix(stone, p.ground, 0.4))
    for x in range(60, 1200, 216):
        c.rect((x - 30, 330, x + 30, 664), stone)
        c.rect((x + 8, 330, x + 30, 664), mix(stone, p.ground, 0.2))
        c.rect((x - 42, 316, x + 42, 338), mix(stone, p.light, 0.5))
        c.rect((x - 42, 650, x + 42, 676), mix(stone, p.light, 0.5))
        c.arc(x + 108, 322, 96, 96, (180, 360), stone, 30)
    c.rect((0, 190, 1200, 228), stone)
    c.rect((0, 176, 1200, 194), mix(stone, p.light, 0.5))
    for x in (170, 386, 602, 818, 1034):
        c.oval(x, 780, 120, 12, mix(stone, p.ground, 0.6))
