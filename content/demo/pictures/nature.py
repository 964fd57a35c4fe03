"""Scenes without people: mountains, water, sand, trees, weather."""

from __future__ import annotations

import math

from content.demo.pictures.canvas import Canvas, Colour, mix
from content.demo.pictures.elements import (
    birds,
    hut,
    palm,
    pine,
    range_of_peaks,
    round_tree,
    sail,
    sky,
    water,
)
from content.demo.pictures.palettes import Palette


def mountains(c: Canvas, p: Palette) -> None:
    sky(c, p)
    range_of_peaks(c, p, base=600, height=300, colour=mix(p.far, p.horizon, 0.25), count=6)
    range_of_peaks(c, p, base=640, height=380, colour=p.mid, count=4)
    c.hill(610, 70, p.near)
    crest = c.hill(690, 60, p.ground)
    for x, y in crest[4::5]:
        pine(c, x + c.random.uniform(-16, 16), y + 40, c.random.uniform(60, 130), mix(p.ground, p.near, 0.35))


def lake(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=460)
    range_of_peaks(c, p, base=470, height=320, colour=p.mid, count=6)
    c.hill(450, 44, p.near)
    water(c, p, top=476)
    for x in range(30, 1200, 60):
        if x < 330 or x > 930:
            pine(
                c,
                x + c.random.uniform(-20, 20),
                800 - abs(600 - x) * 0.08,
                c.random.uniform(150, 270),
                p.ground,
            )
    canoe(c, c.random.uniform(480, 720), 640, p)


def canoe(c: Canvas, x: float, y: float, p: Palette) -> None:
    c.poly([(x - 70, y - 8), (x + 70, y - 8), (x + 48, y + 14), (x - 48, y + 14)], p.accent)
    c.rect((x - 90, y + 18, x + 90, y + 21), mix(p.water, p.ground, 0.4), radius=2)
    c.disc(x - 12, y - 38, 8, p.ground)
    c.poly([(x - 24, y - 8), (x - 12, y - 32), (x + 2, y - 8)], p.ground)
    c.line([(x - 36, y - 30), (x + 22, y + 8)], 3, p.ground)


def desert(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=520)
    c.hill(520, 110, mix(p.far, p.horizon, 0.3))
    for y, height, colour in ((560, 110, p.far), (640, 120, p.mid), (730, 100, p.near)):
        crest = c.hill(y, height, colour)
        top = min(crest, key=lambda point: point[1])
        shade = [(x, yy) for x, yy in crest if x >= top[0]]
        c.poly([top, *shade, (1240, 800), (top[0] + 160, 800)], mix(colour, p.ground, 0.26))
    for step in range(4):
        camel(c, 380 + step * 96, 636, 0.62, p.ground)


def camel(c: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    c.oval(x, y - 44 * size, 40 * size, 20 * size, colour)
    c.disc(x - 4 * size, y - 62 * size, 15 * size, colour)
    c.line(
        [(x + 32 * size, y - 46 * size), (x + 52 * size, y - 40 * size), (x + 58 * size, y - 78 * size)],
        9 * size,
        colour,
    )
    c.oval(x + 65 * size, y - 80 * size, 14 * size, 7 * size, colour)
    for leg in (-28, -18, 18, 28):
        c.line([(x + leg * size, y - 34 * size), (x + (leg + 3) * size, y)], 5 * size, colour)


def forest(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=600)
    for row, (y, colour) in enumerate(((520, mix(p.far, p.horizon, 0.3)), (590, p.mid), (680, p.near))):
        c.hill(y, 40, colour)
        for x in range(-20, 1240, 66 - row * 4):
            pine(c, x + c.random.uniform(-24, 24), y + 40, c.random.uniform(130, 210) + row * 45, colour)
    c.hill(676, 22, mix(p.light, p.near, 0.12))
    path = [(610 + 60 * math.sin(step / 2.6), 682 + step * 12, 5 + step * 7) for step in range(11)]
    left, right = ([(x + side * wide, y) for x, y, wide in path] for side in (-1, 1))
    c.poly([*left, *reversed(right)], mix(p.light, p.near, 0.35))
    for x in range(-20, 1240, 54):
        if not 400 < x < 830:
            pine(c, x + c.random.uniform(-24, 24), 840, c.random.uniform(265, 345), p.ground)


def volcano(c: Canvas, p: Palette) -> None:
    sky(c, p)
    x = c.random.uniform(480, 760)
    for step in range(7):
        c.disc(
            x + 18 * step + c.random.uniform(-10, 10),
            250 - 26 * step,
            24 + 8 * step,
            mix(p.horizon, p.light, 0.45),
        )
    c.poly([(x - 470, 640), (x - 54, 262), (x + 60, 262), (x + 480, 640)], p.mid)
    c.poly([(x + 20, 262), (x + 60, 262), (x + 480, 640), (x + 110, 640)], mix(p.mid, p.ground, 0.3))
    c.poly(
        [(x - 54, 262), (x + 60, 262), (x + 90, 296), (x + 30, 318), (x, 292), (x - 40, 330), (x - 86, 292)],
        p.accent,
    )
    c.hill(600, 60, p.near)
    for px, py in c.hill(690, 70, p.ground)[3::9]:
        palm(c, px, py + 50, c.random.uniform(120, 220), mix(p.ground, p.near, 0.4))


def fjord(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=480)
    range_of_peaks(c, p, base=500, height=210, colour=mix(p.far, p.horizon, 0.3), count=5)
    water(c, p, top=496)
    for side, colour in ((-1, p.mid), (1, p.near)):
        edge = 600 + side * 600
        wall = [(edge, 90), (edge - side * 110, 120), (edge - side * 190, 250), (edge - side * 290, 300)]
        c.poly([*wall, (edge - side * 360, 430), (edge - side * 460, 540), (edge, 620)], colour)
        c.poly([(edge, 90), (edge - side * 110, 120), (edge - side * 60, 200), (edge, 210)], p.light)
    for x, colour in ((770, p.accent), (840, p.light), (905, p.accent)):
        hut(c, x, 566, 1.0, colour, p)
    sail(c, 420, 680, 1.1, p)


def aurora(c: Canvas, p: Palette) -> None:
    sky(c, p)
    for band in range(5):
        base = 120 + band * 46
        crest = c.crest(base + 120, 130)
        colour = mix(p.sky, mix((88, 240, 170), (150, 110, 240), band / 5), 0.18 + 0.08 * (band % 3))
        c.poly([*[(x, y - 90) for x, y in crest], *[(x, y + 30) for x, y in reversed(crest)]], colour)
    range_of_peaks(c, p, base=620, height=230, colour=p.near, count=6)
    c.hill(640, 50, mix(p.light, p.horizon, 0.4))
    hut(c, 760, 690, 1.7, p.accent, p)
    for x in (120, 200, 290, 1000, 1090):
        pine(c, x, 730, c.random.uniform(120, 200), p.ground)


def canyon(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=460)
    for layer, colour in enumerate((mix(p.far, p.horizon, 0.2), p.far, p.mid, p.near)):
        y = 360 + layer * 80
        for side in (-1, 1):
            edge, reach = 600 + side * 640, 560 - layer * 90 + c.random.uniform(-40, 40)
            x = edge - side * reach
            c.poly(
                [
                    (edge, y),
                    (x, y),
                    (x + side * 30, y + 80),
                    (x + side * 10, y + 90),
                    (x + side * 60, 800),
                    (edge, 800),
                ],
                colour,
            )
            for band in range(3):
                top = y + 26 + band * 42
                c.poly(
                    [
                        (edge, top),
                        (x + side * (12 + band * 14), top),
                        (x + side * (18 + band * 14), top + 9),
                        (edge, top + 9),
                    ],
                    mix(colour, p.light, 0.16),
                )
    c.poly([(520, 800), (690, 800), (630, 640), (590, 640)], p.water)
    birds(c, p.ground)


def savanna(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=560)
    c.hill(560, 50, p.far)
    c.hill(620, 40, p.mid)
    c.hill(700, 40, p.near)
    for x, size in ((c.random.uniform(180, 320), 1.5), (c.random.uniform(820, 1000), 1.0)):
        c.line([(x, 690), (x + 8 * size, 560), (x - 50 * size, 470)], 12 * size, p.ground)
        c.line([(x + 6 * size, 590), (x + 70 * size, 480)], 9 * size, p.ground)
        c.oval(x, 470, 150 * size, 28 * size, p.ground)
        c.oval(x + 50 * size, 446, 90 * size, 20 * size, p.ground)
    birds(c, p.ground, count=7)


def waterfall(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=400)
    c.hill(300, 90, p.far)
    c.poly([(0, 260), (470, 300), (480, 640), (0, 700)], p.mid)
    c.poly([(1200, 220), (720, 300), (710, 640), (1200, 700)], p.near)
    c.poly([(470, 300), (722, 300), (740, 660), (450, 660)], mix(p.water, p.light, 0.75))
    for x in range(486, 716, 26):
        c.rect((x, 306 + c.random.uniform(0, 60), x + 8, 640), mix(p.water, p.light, 0.35), radius=4)
    water(c, p, top=650)
    for _ in range(18):
        c.disc(
            c.random.uniform(420, 780),
            c.random.uniform(640, 670),
            c.random.uniform(14, 34),
            mix(p.water, p.light, 0.85),
        )
    for x in (60, 150, 250, 340, 870, 960, 1060, 1150):
        round_tree(c, x, 800 - c.random.uniform(0, 20), c.random.uniform(160, 260), p.ground)


def terraces(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=420)
    range_of_peaks(c, p, base=440, height=170, colour=p.far, count=5)
    for step in range(9):
        y = 410 + step * 46
        colour = mix(p.mid, p.ground, step / 11)
        crest = c.hill(y, 70 - step * 3, colour)
        c.line([(x, py + 3) for x, py in crest], 4, mix(colour, p.light, 0.45))
        if step % 2:
            pool = [(x, py + 20 + 3 * math.sin(x / 40)) for x, py in crest[step * 5 : step * 5 + 34]]
            c.line(pool, 12, mix(p.water, p.light, 0.45))
    for x in (180, 960):
        palm(c, x, 720, c.random.uniform(180, 260), p.ground)
    hut(c, 640, 560, 1.1, p.accent, p)
