"""Scenes without people: mountains, water, sand, trees, weather."""

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


def hut(c: Canvas, x: float, y: float, size: float, wall: Colour, p: Palette) -> None:
    c.rect((x - 24 * size, y - 34 * size, x + 24 * size, y), wall)
    c.poly([(x - 30 * size, y - 32 * size), (x, y - 62 * size), (x + 30 * size, y - 32 * size)], p.ground)
    c.rect((x - 8 * size, y - 22 * size, x + 8 * size, y - 8 * size), p.light)


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
