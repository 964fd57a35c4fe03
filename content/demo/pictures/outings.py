"""What people go out for: a tram ride, an old railway line by bicycle, a whale."""

from __future__ import annotations

import math

from content.demo.pictures.canvas import Canvas, Colour, mix
from content.demo.pictures.elements import birds, range_of_peaks, round_tree, sky, water
from content.demo.pictures.palettes import Palette
from content.demo.pictures.towns import houses, walls_of


def tram(c: Canvas, p: Palette) -> None:
    """An old tram that passes high houses."""
    sky(c, p, horizon=420)
    houses(c, p, base=632, size=2.1, walls=walls_of(p), roof=mix(p.accent, p.ground, 0.35))
    c.rect((0, 622, 1200, 644), mix(p.light, p.far, 0.5))
    c.gradient(mix(p.near, p.ground, 0.3), mix(p.near, p.ground, 0.6), y0=642)
    for y in (690, 726):
        c.rect((0, y, 1200, y + 6), mix(p.light, p.far, 0.4))
    c.line([(0, 168), (600, 182), (1200, 168)], 3, p.ground)
    c.line([(620, 304), (700, 180)], 6, p.ground)
    tram_car(c, 250, 672, p)


def tram_car(c: Canvas, left: float, base: float, p: Palette) -> None:
    yellow, pane = (240, 182, 44), mix(p.sky, p.light, 0.45)
    right = left + 700
    for x in (left + 170, right - 170):
        c.rect((x - 90, base - 12, x + 90, base + 14), p.ground, radius=8)
        for wheel in (-52, 52):
            c.disc(x + wheel, base + 22, 27, mix(p.ground, p.light, 0.12))
            c.disc(x + wheel, base + 22, 11, mix(p.ground, p.light, 0.5))
    c.rect((left + 40, base - 372, right - 40, base - 330), mix(yellow, p.ground, 0.55), radius=16)
    c.rect((left, base - 346, right, base), mix(p.light, yellow, 0.12), radius=26)
    c.rect((left, base - 150, right, base), yellow, radius=20)
    c.rect((left, base - 164, right, base - 146), mix(yellow, p.ground, 0.6))
    for place in range(7):
        x = left + 36 + place * 92
        door = place in (0, 6)
        c.rect((x, base - 304, x + 76, base - (20 if door else 176)), mix(pane, p.ground, 0.12), radius=10)
        c.rect((x + 6, base - 298, x + 70, base - (100 if door else 182)), pane, radius=8)
        c.poly(
            [(x + 18, base - 298), (x + 36, base - 298), (x + 16, base - 220), (x + 6, base - 240)], p.light
        )
        if place in (2, 4, 5):
            passenger(c, x + 40, base - 182, p)
    c.rect((left + 250, base - 326, right - 250, base - 308), p.ground, radius=6)
    c.disc(right - 14, base - 84, 18, p.sun)
    c.rect((left + 330, base - 104, left + 370, base - 52), p.light, radius=6)


def passenger(c: Canvas, x: float, floor: float, p: Palette) -> None:
    coat = c.random.choice((p.near, p.accent, p.mid))
    c.pie(x, floor, 26, 44, (180, 360), coat)
    c.disc(x, floor - 56, 16, mix((214, 160, 122), p.ground, 0.2))
    c.pie(x, floor - 60, 18, 18, (180, 360), p.ground)


def greenway(c: Canvas, p: Palette) -> None:
    """A railway line without rails: tunnel, path, a large and a small bicycle."""
    sky(c, p, horizon=430)
    range_of_peaks(c, p, base=470, height=220, colour=mix(p.far, p.horizon, 0.2), count=5)
    c.hill(460, 70, p.far)
    stone = mix(p.light, p.far, 0.45)
    c.poly([(560, 640), (640, 330), (780, 250), (1010, 230), (1200, 300), (1200, 680), (560, 680)], p.mid)
    c.hill(620, 30, mix(p.mid, p.near, 0.4))
    tunnel(c, 850, 640, stone, p)
    path = mix(p.light, (214, 176, 122), 0.55)
    c.poly([(772, 640), (928, 640), (1010, 800), (60, 800), (420, 700)], path)
    c.poly([(772, 640), (800, 640), (240, 800), (60, 800), (420, 700)], mix(path, p.ground, 0.1))
    for x, size in ((80, 250), (250, 180), (1120, 260)):
        round_tree(c, x, 700, size, p.near)
    bicycle(c, 430, 712, 1.0, p.accent, p)
    bicycle(c, 650, 722, 0.72, mix(p.sky, p.ground, 0.3), p)


def tunnel(c: Canvas, x: float, base: float, stone: Colour, p: Palette) -> None:
    c.rect((x - 150, base - 290, x + 150, base + 4), stone)
    c.rect((x - 166, base - 306, x + 166, base - 280), mix(stone, p.light, 0.4))
    for row in range(6):
        for column in range(5):
            left = x - 150 + column * 62 - row % 2 * 20
            box = (max(left, x - 150), base - 276 + row * 46, min(left + 56, x + 150), base - 236 + row * 46)
            c.rect(box, mix(stone, p.ground, 0.06 + 0.04 * ((row + column) % 3)), radius=3)
    for grow, colour in ((22, mix(stone, p.light, 0.5)), (0, mix(p.ground, (0, 0, 0), 0.4))):
        c.pie(x, base - 120, 84 + grow, 104 + grow, (180, 360), colour)
        c.rect((x - 84 - grow, base - 121, x + 84 + grow, base + 4), colour)


def bicycle(c: Canvas, x: float, y: float, size: float, colour: Colour, p: Palette) -> None:
    """A rider from the side, going right; ``x`` and ``y`` are between the wheels on the ground."""

    def at(dx: float, dy: float) -> tuple[float, float]:
        return x + dx * size, y - dy * size

    for wheel in (-72, 72):
        wx, wy = at(wheel, 52)
        c.ring(wx, wy, 52 * size, 52 * size, p.ground, 6 * size)
        for spoke in range(6):
            dx, dy = 48 * math.cos(spoke * math.pi / 6), 48 * math.sin(spoke * math.pi / 6)
            c.line(
                [at(wheel - dx, 52 - dy), at(wheel + dx, 52 + dy)], 1.2 * size, mix(p.ground, p.light, 0.4)
            )
    frame = ((-72, 52), (-30, 116), (44, 124), (-4, 50), (-72, 52), (-4, 50), (-34, 128))
    c.line([at(*point) for point in frame], 7 * size, colour)
    c.line([at(72, 52), at(42, 132), at(62, 142)], 7 * size, colour)
    c.line([at(-50, 130), at(-20, 130)], 10 * size, p.ground)
    skin, shirt = mix((206, 150, 112), p.ground, 0.1), mix(p.sun, p.accent, 0.75)
    c.line([at(-34, 136), at(10, 100), at(-2, 46)], 17 * size, mix(p.ground, p.mid, 0.2))
    c.line([at(-34, 140), at(0, 206)], 32 * size, shirt)
    c.line([at(0, 200), at(30, 164), at(60, 146)], 11 * size, skin)
    hx, hy = at(14, 242)
    c.disc(hx, hy, 21 * size, skin)
    c.pie(hx, hy - 3 * size, 25 * size, 24 * size, (180, 360), colour)


def whale(c: Canvas, p: Palette) -> None:
    """The tail of a diving whale before a cold coast."""
    sky(c, p, horizon=470)
    range_of_peaks(c, p, base=486, height=200, colour=mix(p.far, p.horizon, 0.15), count=6)
    water(c, p, top=476)
    x, y = c.random.uniform(540, 660), 640.0
    skin = mix(p.ground, p.near, 0.25)
    for rx, ry, share in ((250, 30, 0.35), (190, 20, 0.6), (120, 12, 0.85)):
        c.oval(x, y, rx, ry, mix(p.water, p.light, share))
    c.poly(tail(x, y), skin)
    c.poly([(x, y - 216), (x + 30, y - 150), (x + 40, y), (x, y)], mix(skin, p.ground, 0.6))
    c.oval(x, y + 4, 74, 12, mix(p.water, p.light, 0.7))
    for drop in range(16):
        side = -1 if drop % 2 else 1
        dx = side * c.random.uniform(60, 240)
        c.oval(x + dx, y - c.random.uniform(0, 210 - abs(dx) * 0.4), 3, c.random.uniform(5, 14), p.light)
    birds(c, p.ground, count=7)


def tail(x: float, y: float) -> list[tuple[float, float]]:
    """Both flukes above a stem that widens towards the water."""
    half = [(0, 210), (14, 226), (44, 250), (86, 276), (128, 292), (168, 298), (206, 292), (240, 276)]
    half += [(266, 256), (284, 236), (256, 236), (224, 232), (190, 224), (154, 210), (118, 190)]
    half += [(84, 164), (58, 134), (44, 100), (40, 64), (44, 30), (56, 0)]
    return [(x + dx, y - dy) for dx, dy in half] + [(x - dx, y - dy) for dx, dy in reversed(half)]
