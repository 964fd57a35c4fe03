"""What is worn, in the mountains and in the water."""

from __future__ import annotations

from content.demo.pictures.canvas import Canvas, Colour, mix
from content.demo.pictures.goods.studio import COLOURS, DARK, METAL, PAPER, lit, shaded


def jacket(c: Canvas, k: Colour) -> None:
    for side in (-1, 1):
        c.poly(
            [
                (600 + side * 150, 240),
                (600 + side * 250, 300),
                (600 + side * 300, 590),
                (600 + side * 220, 610),
                (600 + side * 160, 380),
            ],
            shaded(k),
        )
    c.poly([(440, 250), (540, 200), (660, 200), (760, 250), (790, 690), (410, 690)], k)
    c.pie(600, 210, 100, 96, (180, 360), shaded(k, 0.15))
    c.pie(600, 214, 62, 60, (180, 360), DARK)
    c.rect((592, 214, 608, 690), DARK)
    for x in (460, 650):
        c.line([(x, 520), (x + 90, 550)], 9, DARK)
    c.poly([(440, 252), (540, 202), (560, 300), (436, 330)], lit(k, 0.14))


def puffer(c: Canvas, k: Colour) -> None:
    for row in range(7):
        y = 240 + row * 64
        c.rect((420 - row * 3, y, 780 + row * 3, y + 70), k if row % 2 else lit(k, 0.14), radius=32)
        c.rect((420 - row * 3, y + 56, 780 + row * 3, y + 70), shaded(k, 0.12), radius=7)
    c.rect((500, 180, 700, 260), shaded(k, 0.1), radius=34)
    c.rect((592, 200, 608, 690), DARK)


def boots(c: Canvas, k: Colour) -> None:
    for x, colour in ((520, shaded(k)), (380, k)):
        c.poly(
            [(x, 230), (x + 170, 230), (x + 176, 470), (x + 330, 540), (x + 350, 640), (x - 14, 640)], colour
        )
        c.rect((x - 26, 630, x + 364, 690), DARK, radius=18)
        c.rect((x - 10, 214, x + 182, 264), lit(colour, 0.22), radius=20)
        for lace in range(4):
            y = 310 + lace * 50
            c.line([(x + 110, y), (x + 190, y - 20)], 8, PAPER)
        c.poly([(x + 250, 570), (x + 340, 580), (x + 350, 640), (x + 230, 640)], shaded(colour))


def shirt(c: Canvas, k: Colour) -> None:
    c.poly(
        [
            (470, 210),
            (730, 210),
            (900, 330),
            (830, 440),
            (760, 390),
            (760, 690),
            (440, 690),
            (440, 390),
            (370, 440),
            (300, 330),
        ],
        k,
    )
    c.pie(600, 206, 90, 76, (0, 180), shaded(k, 0.4))
    c.disc(600, 470, 76, lit(k, 0.4))
    c.poly([(530, 510), (590, 410), (622, 460), (645, 432), (676, 510)], shaded(k))


def hat(c: Canvas, k: Colour) -> None:
    c.oval(600, 590, 390, 92, shaded(k, 0.16))
    c.oval(600, 576, 390, 84, k)
    c.pie(600, 570, 210, 300, (180, 360), lit(k, 0.12))
    c.rect((390, 520, 810, 574), DARK)
    c.oval(600, 574, 210, 34, DARK)
    c.oval(600, 556, 205, 26, COLOURS["red"])


def socks(c: Canvas, k: Colour) -> None:
    for x, colour in ((420, shaded(k)), (560, k)):
        c.poly(
            [
                (x, 190),
                (x + 150, 190),
                (x + 150, 500),
                (x + 270, 600),
                (x + 230, 690),
                (x + 60, 650),
                (x, 540),
            ],
            colour,
        )
        c.rect((x - 6, 180, x + 156, 250), lit(colour, 0.5), radius=14)
        for band in (300, 350):
            c.rect((x, band, x + 150, band + 22), PAPER)
        c.disc(x + 236, 640, 54, lit(colour, 0.4))


def sandals(c: Canvas, k: Colour) -> None:
    for x in (430, 690):
        c.oval(x + 40, 430, 124, 260, DARK)
        c.oval(x + 40, 424, 108, 242, COLOURS["sand"])
        for a, b in (
            ((x - 66, 330), (x + 146, 380)),
            ((x + 146, 320), (x - 66, 390)),
            ((x - 68, 540), (x + 148, 540)),
        ):
            c.line([a, b], 34, k)
        c.rect((x + 16, 520, x + 64, 560), METAL, radius=8)


def snorkel(c: Canvas, k: Colour) -> None:
    c.line([(860, 120), (860, 470), (800, 570), (700, 590)], 40, k)
    c.rect((836, 96, 884, 180), COLOURS["red"], radius=12)
    c.rect((300, 270, 800, 520), DARK, radius=110)
    c.rect((330, 298, 536, 492), mix(k, (225, 245, 250), 0.7), radius=80)
    c.rect((564, 298, 770, 492), mix(k, (225, 245, 250), 0.7), radius=80)
    c.poly([(500, 520), (550, 420), (600, 520)], DARK)
    for x in (380, 614):
        c.line([(x, 440), (x + 70, 330)], 12, PAPER)


DRAWINGS = (jacket, puffer, boots, shirt, hat, socks, sandals, snorkel)
