"""Scenes that people built: skylines, old towns, harbours, temples."""

from __future__ import annotations

from content.demo.pictures.canvas import WIDTH, Canvas, Colour, mix
from content.demo.pictures.elements import (
    birds,
    palm,
    range_of_peaks,
    round_tree,
    sail,
    sky,
    water,
)
from content.demo.pictures.palettes import Palette


def windows(c: Canvas, box: tuple[float, float, float, float], colour: Colour, *, step: float = 24) -> None:
    left, top, right, bottom = box
    y = top + 16
    while y < bottom - 18:
        x = left + 11
        while x < right - 16:
            if c.random.random() < 0.62:
                c.rect((x, y, x + 9, y + 13), colour)
            x += step
        y += step + 6


def row_of_towers(c: Canvas, p: Palette, *, base: float, tall: tuple[float, float], colour: Colour) -> None:
    x = -20.0
    while x < WIDTH:
        wide = c.random.uniform(58, 120)
        top = base - c.random.uniform(*tall)
        c.rect((x, top, x + wide, base), colour)
        c.rect((x + wide * 0.7, top, x + wide, base), mix(colour, p.ground, 0.18))
        if c.random.random() < 0.3:
            c.rect((x + wide / 2 - 2, top - 40, x + wide / 2 + 2, top), colour)
        windows(c, (x, top, x + wide * 0.7, base), mix(colour, p.light, 0.75 if p.night else 0.34))
        x += wide + c.random.uniform(-4, 14)


def skyline(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=600)
    row_of_towers(c, p, base=650, tall=(180, 330), colour=mix(p.far, p.horizon, 0.2))
    row_of_towers(c, p, base=660, tall=(110, 300), colour=p.mid)
    row_of_towers(c, p, base=670, tall=(60, 190), colour=p.near)
    water(c, p, top=664)


def bridge(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=560)
    row_of_towers(c, p, base=600, tall=(60, 250), colour=mix(p.far, p.horizon, 0.25))
    water(c, p, top=596)
    deck = 560
    for x in (330, 870):
        c.rect((x - 30, 250, x + 30, 660), p.near)
        for side in (-1, 1):
            c.rect((x + side * 15 - 8, 300, x + side * 15 + 8, 430), p.horizon, radius=8)
        c.rect((x - 38, 240, x + 38, 262), p.ground)
        c.rect((x - 44, 640, x + 44, 672), p.ground)
    spans = ((-200, 330), (330, 870), (870, 1400))
    for left, right in spans:
        middle, half = (left + right) / 2, (right - left) / 2
        cable = [
            (left + step * (right - left) / 40, 540 - 290 * abs((step - 20) / 20) ** 2) for step in range(41)
        ]
        c.line(cable, 5, p.ground)
        for rope, y in cable[2:-1:2]:
            c.line([(rope, y), (rope, deck)], 1.6, p.ground)
        c.rect((middle - half, deck, middle + half, deck + 17), p.ground)
    sail(c, 600, 726, 0.8, p)


def houses(
    c: Canvas, p: Palette, *, base: float, size: float, walls: tuple[Colour, ...], roof: Colour
) -> None:
    x = -30.0
    while x < WIDTH + 20:
        wide, tall = c.random.uniform(70, 120) * size, c.random.uniform(90, 200) * size
        wall = c.random.choice(walls)
        c.rect((x, base - tall, x + wide, base), wall)
        rise = c.random.uniform(18, 46) * size
        c.poly(
            [(x - 5, base - tall), (x + wide * 0.5, base - tall - rise), (x + wide + 5, base - tall)], roof
        )
        pane = mix(p.light, p.sun, 0.4) if p.night else mix(wall, p.ground, 0.62)
        for row in range(int(tall // (44 * size))):
            for column in range(int(wide // (32 * size))):
                left, top = x + (10 + 32 * column) * size, base - tall + (14 + 44 * row) * size
                c.rect((left, top, left + 14 * size, top + 22 * size), pane, radius=2)
        x += wide + c.random.choice((0, 0, 6))


def walls_of(p: Palette) -> tuple[Colour, ...]:
    return (
        p.light,
        mix(p.light, p.accent, 0.35),
        mix(p.light, p.far, 0.55),
        mix(p.horizon, p.sun, 0.5),
        mix(p.accent, p.light, 0.3),
    )


def old_town(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=520)
    c.hill(480, 110, p.far)
    roof = mix(p.accent, p.ground, 0.3)
    houses(
        c,
        p,
        base=560,
        size=0.8,
        walls=tuple(mix(w, p.far, 0.4) for w in walls_of(p)),
        roof=mix(roof, p.far, 0.35),
    )
    tower(c, c.random.uniform(300, 900), 600, p)
    houses(c, p, base=680, size=1.1, walls=walls_of(p), roof=roof)
    c.rect((0, 676, 1200, 800), mix(p.near, p.ground, 0.5))
    for x in range(60, 1200, 170):
        round_tree(c, x + c.random.uniform(-30, 30), 760, c.random.uniform(90, 130), p.near)


def tower(c: Canvas, x: float, base: float, p: Palette) -> None:
    wall = mix(p.light, p.far, 0.35)
    c.rect((x - 42, base - 330, x + 42, base), wall)
    c.rect((x + 14, base - 330, x + 42, base), mix(wall, p.ground, 0.16))
    c.poly([(x - 52, base - 328), (x, base - 430), (x + 52, base - 328)], mix(p.accent, p.ground, 0.45))
    c.rect((x - 14, base - 296, x + 14, base - 240), mix(p.ground, wall, 0.15), radius=14)
    c.disc(x, base - 200, 18, p.light)
    c.line([(x, base - 200), (x, base - 212)], 3, p.ground)
    c.line([(x, base - 200), (x + 9, base - 196)], 3, p.ground)


def harbour(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=500)
    c.hill(470, 120, p.far)
    houses(c, p, base=560, size=0.9, walls=walls_of(p), roof=mix(p.accent, p.ground, 0.35))
    c.rect((0, 556, 1200, 582), mix(p.near, p.ground, 0.4))
    water(c, p, top=580)
    for x in (180, 470, 760, 1040):
        boat(c, x + c.random.uniform(-50, 50), 660 + c.random.uniform(-20, 70), p)


def boat(c: Canvas, x: float, y: float, p: Palette) -> None:
    hull = c.random.choice((p.accent, p.light, p.near, mix(p.water, p.ground, 0.5)))
    c.poly([(x - 78, y - 22), (x + 84, y - 26), (x + 56, y + 16), (x - 58, y + 16)], hull)
    c.poly([(x - 76, y - 22), (x + 84, y - 26), (x + 80, y - 17), (x - 72, y - 13)], mix(hull, p.light, 0.6))
    c.rect((x - 30, y - 60, x + 16, y - 22), mix(p.light, hull, 0.15))
    c.rect((x - 20, y - 50, x + 6, y - 36), p.ground)
    c.line([(x + 32, y - 22), (x + 32, y - 110)], 3.4, p.ground)
    c.line([(x + 32, y - 106), (x + 82, y - 28)], 1.6, p.ground)
    c.rect((x - 90, y + 19, x + 92, y + 23), mix(p.water, p.light, 0.45), radius=2)


def fishing_nets(c: Canvas, p: Palette) -> None:
    """The cantilevered shore nets of Kochi."""
    sky(c, p, horizon=540)
    c.hill(540, 34, p.mid)
    water(c, p, top=548)
    for x, size in ((300, 1.0), (640, 0.8), (930, 1.1)):
        foot, reach = 640, 210 * size
        tip = (x + reach * 0.35, foot - 330 * size)
        for leg in (-60, 40):
            c.line([(x + leg, foot + 30), tip], 6, p.ground)
        c.line([tip, (x - 150 * size, foot - 130 * size)], 4, p.ground)
        corners = [
            (x + reach * 0.1, foot - 70),
            (x + reach, foot - 150 * size),
            (x + reach * 1.3, foot - 60),
            (x + reach * 0.5, foot),
        ]
        for corner in corners:
            c.line([tip, corner], 3.2, p.ground)
        low = (x + reach * 0.7, foot + 40)
        for share in (0.2, 0.4, 0.6, 0.8):
            ring = [(a + (low[0] - a) * share, b + (low[1] - b) * share) for a, b in corners]
            c.line([*ring, ring[0]], 1.3, p.near)
        for corner in corners:
            c.line([corner, low], 1.6, p.near)
    c.poly([(0, 800), (0, 720), (420, 740), (760, 800)], p.ground)
    palm(c, 90, 760, 420, p.ground)
    birds(c, p.ground)


def canal(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=480)
    houses(c, p, base=570, size=1.25, walls=walls_of(p), roof=mix(p.accent, p.ground, 0.4))
    water(c, p, top=566)
    stone = mix(p.near, p.light, 0.35)
    c.pie(600, 650, 360, 170, (180, 360), stone)
    c.pie(600, 654, 250, 112, (180, 360), mix(p.water, p.ground, 0.25))
    c.rect((0, 560, 1200, 584), stone)
    c.arc(600, 640, 360, 170, (180, 360), p.ground, 5)
    for x in (90, 1110):
        round_tree(c, x, 600, 190, p.near)
    boat(c, 330, 724, p)


def domes(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=560)
    c.hill(540, 60, p.far)
    stone, tile = mix(p.light, p.far, 0.3), mix(p.water, p.accent, 0.12)
    for x, size in ((260, 0.7), (940, 0.75), (600, 1.15)):
        c.rect((x - 130 * size, 640 - 190 * size, x + 130 * size, 660), stone)
        c.rect((x - 84 * size, 640 - 240 * size, x + 84 * size, 640 - 186 * size), mix(stone, p.accent, 0.2))
        c.pie(x, 640 - 236 * size, 92 * size, 130 * size, (180, 360), tile)
        c.pie(x + 26 * size, 640 - 236 * size, 66 * size, 122 * size, (180, 360), mix(tile, p.ground, 0.22))
        c.line([(x, 640 - 366 * size), (x, 640 - 410 * size)], 4, p.accent)
        c.pie(x, 662, 52 * size, 210 * size, (180, 360), mix(tile, p.ground, 0.5))
        for side in (-1, 1):
            c.rect(
                (
                    x + side * 96 * size - 18 * size,
                    640 - 130 * size,
                    x + side * 96 * size + 18 * size,
                    640 - 30 * size,
                ),
                mix(stone, p.ground, 0.3),
                radius=16 * size,
            )
    for x in (110, 430, 770, 1090):
        c.rect((x - 14, 290, x + 14, 660), stone)
        c.rect((x - 20, 350, x + 20, 362), mix(stone, p.ground, 0.3))
        c.poly([(x - 16, 292), (x, 230), (x + 16, 292)], tile)
    c.rect((0, 656, 1200, 800), mix(p.near, p.horizon, 0.15))
    c.poly([(470, 656), (730, 656), (900, 800), (300, 800)], mix(p.light, p.horizon, 0.3))


def temple(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=600)
    range_of_peaks(c, p, base=560, height=170, colour=mix(p.far, p.horizon, 0.2), count=5)
    c.hill(560, 60, p.mid)
    x, base = c.random.uniform(430, 760), 660.0
    roof, wall = mix(p.ground, p.accent, 0.25), mix(p.accent, p.light, 0.12)
    for level in range(4):
        half, y = 150 - level * 28, base - level * 104
        c.rect((x - half * 0.72, y - 84, x + half * 0.72, y), wall)
        for post in range(-2, 3):
            c.rect(
                (x + post * half * 0.3 - 4, y - 84, x + post * half * 0.3 + 4, y), mix(wall, p.ground, 0.35)
            )
        c.poly(
            [
                (x - half - 34, y - 70),
                (x - half * 0.6, y - 104),
                (x + half * 0.6, y - 104),
                (x + half + 34, y - 70),
                (x + half, y - 78),
                (x - half, y - 78),
            ],
            roof,
        )
    c.line([(x, base - 416), (x, base - 490)], 6, roof)
    c.hill(680, 40, p.near)
    for tree in range(9):
        round_tree(
            c,
            60 + tree * 138 + c.random.uniform(-30, 30),
            800,
            c.random.uniform(120, 210),
            c.random.choice((p.ground, p.near, mix(p.accent, p.light, 0.4))),
        )


def medina(c: Canvas, p: Palette) -> None:
    sky(c, p, horizon=520)
    range_of_peaks(c, p, base=520, height=200, colour=mix(p.far, p.horizon, 0.2), count=5)
    for row, (base, shade) in enumerate(((560, 0.35), (640, 0.16), (740, 0.0))):
        x = -30.0
        while x < WIDTH:
            wide, tall = c.random.uniform(90, 170), c.random.uniform(70, 170)
            wall = mix(
                c.random.choice((p.accent, mix(p.light, p.accent, 0.5), p.light, mix(p.water, p.light, 0.5))),
                p.far,
                shade,
            )
            c.rect((x, base - tall, x + wide, 800), wall)
            c.rect((x - 3, base - tall - 8, x + wide + 3, base - tall), mix(wall, p.light, 0.5))
            c.rect((x + wide * 0.62, base - tall, x + wide, 800), mix(wall, p.ground, 0.12))
            c.rect((x + 22, base - tall + 30, x + 44, base - tall + 64), mix(wall, p.ground, 0.6), radius=10)
            x += wide
        if row == 1:
            c.rect((780, 300, 850, 700), mix(p.light, p.far, 0.2))
            c.rect((796, 262, 834, 300), mix(p.light, p.far, 0.2))
            c.rect((804, 330, 826, 380), p.ground, radius=10)
            c.disc(815, 254, 12, p.accent)
    for x in (120, 1040):
        palm(c, x, 800, c.random.uniform(200, 260), p.ground)
