"""Bags to carry things in."""

from __future__ import annotations

from content.demo.pictures.canvas import Canvas, Colour, mix
from content.demo.pictures.goods.studio import DARK, METAL, PAPER, lit, shaded


def backpack(c: Canvas, k: Colour) -> None:
    for side in (-1, 1):
        c.rect((600 + side * 215 - 34, 420, 600 + side * 215 + 34, 640), shaded(k), radius=28)
    c.arc(600, 170, 60, 60, (180, 360), DARK, 16)
    c.rect((410, 160, 790, 690), k, radius=90)
    c.rect((410, 160, 790, 330), lit(k, 0.14), radius=90)
    c.rect((448, 440, 752, 650), shaded(k, 0.14), radius=36)
    c.rect((470, 476, 730, 488), DARK, radius=6)
    c.rect((400, 318, 800, 342), shaded(k), radius=8)
    for x in (490, 690):
        c.rect((x, 300, x + 22, 430), DARK, radius=6)
        c.rect((x - 6, 392, x + 28, 418), METAL, radius=5)
    c.rect((560, 540, 640, 590), lit(k), radius=8)


def duffel(c: Canvas, k: Colour) -> None:
    c.arc(600, 370, 170, 160, (180, 360), DARK, 20)
    c.rect((290, 360, 910, 680), k, radius=110)
    c.rect((290, 360, 430, 680), shaded(k), radius=100)
    c.rect((770, 360, 910, 680), shaded(k), radius=100)
    for x in (440, 730):
        c.rect((x, 356, x + 32, 684), DARK)
    c.rect((360, 400, 840, 412), lit(k), radius=6)
    c.rect((540, 500, 660, 580), lit(k, 0.2), radius=10)


def suitcase(c: Canvas, k: Colour) -> None:
    for x in (530, 670):
        c.rect((x - 8, 90, x + 8, 220), shaded(METAL, 0.4))
    c.rect((510, 78, 690, 104), DARK, radius=12)
    c.rect((430, 200, 770, 670), k, radius=44)
    for x in range(470, 760, 50):
        c.rect((x, 220, x + 14, 650), shaded(k, 0.14), radius=7)
    c.rect((424, 420, 776, 436), DARK)
    c.rect((566, 404, 634, 452), METAL, radius=10)
    for x in (470, 730):
        c.disc(x, 684, 22, DARK)


def tote(c: Canvas, k: Colour) -> None:
    c.arc(600, 330, 120, 210, (180, 360), shaded(k), 18)
    c.poly([(390, 320), (810, 320), (850, 690), (350, 690)], k)
    c.poly([(390, 320), (810, 320), (814, 356), (386, 356)], lit(k))
    c.disc(600, 520, 84, lit(k))
    c.poly([(600, 446), (618, 520), (600, 594), (582, 520)], shaded(k))
    c.poly([(526, 520), (600, 504), (674, 520), (600, 536)], shaded(k))


def cubes(c: Canvas, k: Colour) -> None:
    for level, (half, colour) in enumerate(((250, shaded(k)), (215, k), (175, lit(k)))):
        y = 690 - level * 150
        c.rect((600 - half, y - 142, 600 + half, y), colour, radius=22)
        c.rect((600 - half + 30, y - 96, 600 + half - 30, y - 40), mix(colour, PAPER, 0.35), radius=10)
        c.rect((600 - half + 16, y - 122, 600 + half - 16, y - 114), DARK, radius=4)
        c.rect((600 + half - 44, y - 122, 600 + half - 30, y - 92), METAL, radius=4)


def hipbag(c: Canvas, k: Colour) -> None:
    c.arc(600, 380, 300, 240, (150, 390), DARK, 24)
    c.rect((370, 400, 830, 660), k, radius=90)
    c.rect((410, 500, 790, 630), shaded(k, 0.15), radius=50)
    c.rect((420, 440, 780, 454), DARK, radius=6)
    c.rect((750, 434, 800, 462), METAL, radius=8)


def drybag(c: Canvas, k: Colour) -> None:
    c.rect((430, 250, 770, 690), k, radius=60)
    c.rect((690, 250, 770, 690), shaded(k), radius=50)
    c.poly([(440, 300), (760, 300), (700, 210), (500, 210)], lit(k, 0.15))
    c.rect((480, 170, 720, 216), shaded(k), radius=12)
    c.rect((556, 160, 644, 226), DARK, radius=10)
    for x in (540, 600, 660):
        c.poly([(x, 430), (x + 22, 480), (x, 510), (x - 22, 480)], lit(k))


def satchel(c: Canvas, k: Colour) -> None:
    c.arc(600, 330, 250, 230, (180, 360), shaded(k), 18)
    c.rect((340, 330, 860, 680), k, radius=30)
    c.rect((340, 330, 860, 540), lit(k, 0.12), radius=30)
    for x in (440, 720):
        c.rect((x, 430, x + 40, 600), shaded(k), radius=8)
        c.rect((x - 4, 540, x + 44, 574), METAL, radius=6)


DRAWINGS = (backpack, duffel, suitcase, tote, cubes, hipbag, drybag, satchel)
