"""Rooms where people read and work: a library, a weaver's workshop."""

from __future__ import annotations

from content.demo.pictures.canvas import Canvas, Colour, mix
from content.demo.pictures.palettes import Palette

WOOD: Colour = (132, 88, 58)


def library(c: Canvas, p: Palette) -> None:
    """Shelves on both sides of a tall window, a table with lamps in front."""
    wood = mix(WOOD, p.ground, 0.25)
    tall_window(c, p, wall=mix(p.light, wood, 0.28))
    for left in (0, 790):
        shelves(c, (left, 60, left + 410, 640), wood, p)
    c.rect((0, 636, 1200, 800), mix(wood, p.ground, 0.45))
    c.poly([(120, 676), (1080, 676), (1200, 800), (0, 800)], mix(wood, p.light, 0.18))
    c.rect((120, 670, 1080, 678), mix(wood, p.light, 0.45))
    for x in (430, 760):
        open_book(c, x, 712, p)
    for x in (270, 600, 930):
        reading_lamp(c, x, 704, p)


def tall_window(c: Canvas, p: Palette, *, wall: Colour) -> None:
    c.gradient(wall, wall)
    c.gradient(p.sky, p.horizon, y0=250, y1=640)
    c.disc(650, 400, 34, p.sun)
    c.hill(560, 60, p.far)
    c.hill(600, 40, p.mid)
    for box in ((0, 0, 464, 800), (736, 0, 1200, 800)):
        c.rect(box, wall)
    c.rect((0, 0, 1200, 252), wall)
    c.pie(600, 256, 136, 170, (180, 360), p.sky)
    c.arc(600, 256, 150, 184, (180, 360), p.light, 16)
    for x in (457, 532, 600, 668, 743):
        c.rect((x - 5, 256 if abs(x - 600) > 100 else 100, x + 5, 640), p.light)
    for y in (256, 384, 512):
        c.rect((457, y - 4, 743, y + 4), p.light)


def shelves(c: Canvas, box: tuple[float, float, float, float], wood: Colour, p: Palette) -> None:
    left, top, right, bottom = box
    c.rect((left, top - 26, right, bottom), mix(wood, p.ground, 0.35))
    spines = (p.accent, p.near, p.mid, mix(p.accent, p.ground, 0.5), mix(p.water, p.ground, 0.3), p.far)
    for row in range(5):
        floor = top + (row + 1) * (bottom - top) / 5 - 12
        x = left + 16
        while x < right - 34:
            wide, tall = c.random.uniform(13, 30), c.random.uniform(62, 92)
            colour = mix(c.random.choice(spines), p.ground, c.random.uniform(0, 0.3))
            c.rect((x, floor - tall, x + wide, floor), colour, radius=2)
            for band in (0.18, 0.76):
                c.rect((x + 2, floor - tall * band - 5, x + wide - 2, floor - tall * band), p.sun)
            x += wide + c.random.choice((1, 1, 2, 18))
        c.rect((left, floor, right, floor + 12), mix(wood, p.light, 0.2))
    c.rect((left, top - 40, right, top - 20), mix(wood, p.light, 0.3))


def reading_lamp(c: Canvas, x: float, y: float, p: Palette) -> None:
    brass = (206, 164, 84)
    c.oval(x, y + 8, 130, 18, mix(p.sun, WOOD, 0.45))
    c.oval(x, y, 40, 9, mix(brass, p.ground, 0.3))
    c.rect((x - 5, y - 96, x + 5, y), brass)
    c.poly([(x - 76, y - 92), (x + 76, y - 92), (x + 48, y - 142), (x - 48, y - 142)], (38, 124, 94))
    c.rect((x - 76, y - 96, x + 76, y - 86), p.sun, radius=4)


def open_book(c: Canvas, x: float, y: float, p: Palette) -> None:
    for side in (-1, 1):
        c.poly([(x, y), (x + side * 66, y - 10), (x + side * 76, y + 22), (x, y + 32)], p.light)
        for line in range(3):
            top = y + 4 + line * 8
            c.line([(x + side * 12, top), (x + side * 60, top - 7)], 2, mix(p.light, p.ground, 0.4))
    c.line([(x, y), (x, y + 32)], 3, mix(p.light, p.ground, 0.35))


def loom(c: Canvas, p: Palette) -> None:
    """An upright loom with a half-woven rug, skeins of wool beside it."""
    wall, wood = mix(p.horizon, p.light, 0.35), mix(WOOD, p.ground, 0.15)
    c.gradient(mix(wall, p.far, 0.3), wall, y1=630)
    c.gradient(mix(p.mid, p.light, 0.2), mix(p.near, p.mid, 0.5), y0=630)
    # Articles crop the picture above and below, cards on both sides: what matters stays well inside.
    for x in range(356, 848, 9):
        c.line([(x, 140), (x, 610)], 2.2, p.light)
    rug(c, p, top=320, bottom=610)
    for x in (310, 852):
        c.rect((x, 88, x + 38, 706), wood, radius=8)
        c.rect((x + 24, 88, x + 38, 706), mix(wood, p.ground, 0.3), radius=6)
    for y in (118, 296, 606):
        c.rect((280, y, 920, y + 30), mix(wood, p.light, 0.15), radius=12)
    for place, x in enumerate((140, 218, 982, 1060)):
        skein(c, x, 300, dyes(p)[place])
    c.rect((96, 190, 262, 202), wood, radius=5)
    c.rect((938, 190, 1104, 202), wood, radius=5)
    for place, x in enumerate((190, 1000, 1078)):
        ball(c, x, 672 - place % 2 * 16, dyes(p)[place + 1])


def dyes(p: Palette) -> tuple[Colour, ...]:
    """Cochineal, indigo, marigold and the sheep as it comes."""
    return tuple(
        mix(dye, p.near, 0.08) for dye in ((190, 36, 62), (44, 66, 128), (236, 170, 44), (150, 128, 108))
    )


def rug(c: Canvas, p: Palette, *, top: float, bottom: float) -> None:
    red, blue, yellow, grey = dyes(p)
    c.rect((352, top, 850, bottom), red)
    for y, tall, colour in (
        (top, 14, blue),
        (top + 24, 8, yellow),
        (bottom - 40, 16, blue),
        (bottom - 16, 8, grey),
    ):
        c.rect((352, y, 850, y + tall), colour)
    middle, step = (top + bottom) / 2, 124.5
    for place in range(4):
        x = 352 + step * (place + 0.5)
        for half, colour in ((58, p.light), (46, blue if place % 2 else grey), (28, yellow), (12, red)):
            c.poly(stepped_diamond(x, middle, half), colour)


def stepped_diamond(x: float, y: float, half: float) -> list[tuple[float, float]]:
    """A diamond in steps, as warp and weft make it."""
    steps = 5
    quarter = [
        (half * (1 - n / steps), half * 1.6 * (n + turn) / steps) for n in range(steps) for turn in (0, 1)
    ]
    right = [(x + a, y + b) for a, b in quarter]
    left = [(x - a, y + b) for a, b in reversed(quarter)]
    return (
        right + left + [(x - a, y - b) for a, b in quarter] + [(x + a, y - b) for a, b in reversed(quarter)]
    )


def skein(c: Canvas, x: float, y: float, colour: Colour) -> None:
    for strand in range(-30, 31, 6):
        shade = mix(colour, (255, 255, 255), 0.16 if strand % 12 else 0.0)
        c.line([(x + strand, y - 104), (x + strand * 1.1, y), (x + strand * 0.7, y + 130)], 8, shade)
    c.rect((x - 34, y - 20, x + 34, y - 4), mix(colour, (20, 10, 20), 0.4), radius=6)


def ball(c: Canvas, x: float, y: float, colour: Colour) -> None:
    c.oval(x, y + 44, 52, 10, (70, 50, 46))
    c.disc(x, y, 48, colour)
    for turn in range(4):
        c.arc(
            x, y, 48 - turn * 9, 30, (20 + turn * 30, 200 + turn * 20), mix(colour, (255, 255, 255), 0.28), 3
        )
