"""What is needed outdoors, by day and by night."""

from __future__ import annotations

import math

from content.demo.pictures.canvas import Canvas, Colour, Point, mix
from content.demo.pictures.goods.studio import DARK, METAL, lit, shaded


def tent(c: Canvas, k: Colour) -> None:
    c.poly([(240, 690), (540, 250), (700, 690)], k)
    c.poly([(540, 250), (780, 280), (980, 690), (700, 690)], shaded(k))
    c.poly([(420, 690), (540, 250), (590, 690)], DARK)
    c.poly([(420, 690), (540, 250), (470, 690)], lit(k))
    for x0, y0, x1, y1 in ((250, 680, 180, 716), (970, 680, 1050, 716), (540, 250, 540, 226)):
        c.line([(x0, y0), (x1, y1)], 5, DARK)
    c.line([(540, 252), (780, 282)], 7, lit(k))


def sleeping_bag(c: Canvas, k: Colour) -> None:
    c.rect((300, 380, 860, 660), k, radius=130)
    for x in range(400, 800, 80):
        c.arc(x, 520, 46, 138, (90, 270), shaded(k), 8)
    c.oval(850, 520, 90, 138, lit(k, 0.15))
    for radius in (96, 66, 36):
        c.ring(850, 520, radius * 0.66, radius, shaded(k), 8)
    for x in (380, 700):
        c.rect((x, 372, x + 26, 668), DARK, radius=6)


def stove(c: Canvas, k: Colour) -> None:
    c.rect((500, 520, 700, 700), k, radius=40)
    c.oval(600, 524, 100, 26, lit(k))
    c.rect((580, 470, 620, 530), METAL)
    c.rect((620, 486, 730, 500), DARK, radius=6)
    for x in (470, 600, 730):
        c.line([(600, 480), (x, 400)], 8, DARK)
    for x in (540, 600, 660):
        c.poly([(x - 20, 406), (x, 350), (x + 20, 406)], (70, 150, 230))
    c.rect((450, 200, 750, 390), METAL, radius=24)
    c.rect((436, 190, 764, 214), lit(METAL), radius=10)
    c.rect((764, 250, 880, 272), DARK, radius=10)


def mug(c: Canvas, k: Colour) -> None:
    c.ring(790, 470, 100, 120, k, 32)
    c.rect((400, 270, 780, 690), k, radius=40)
    c.rect((690, 290, 780, 680), shaded(k), radius=36)
    c.oval(590, 272, 190, 42, lit(k, 0.6))
    c.oval(590, 276, 168, 32, (90, 54, 40))
    c.poly([(450, 560), (540, 420), (600, 510), (640, 460), (700, 560)], lit(k, 0.75))
    for _ in range(26):
        c.disc(c.random.uniform(420, 760), c.random.uniform(330, 670), c.random.uniform(2, 5), lit(k, 0.5))


def headlamp(c: Canvas, k: Colour) -> None:
    c.poly([(640, 420), (1130, 250), (1130, 640)], mix((255, 240, 180), (250, 246, 238), 0.4))
    c.arc(480, 420, 260, 200, (0, 360), k, 46)
    c.arc(480, 420, 260, 200, (100, 260), shaded(k), 46)
    c.rect((560, 330, 740, 520), DARK, radius=40)
    c.disc(680, 424, 76, METAL)
    c.disc(680, 424, 56, (255, 244, 196))


def hammock(c: Canvas, k: Colour) -> None:
    for x in (220, 980):
        c.rect((x - 22, 130, x + 22, 700), (128, 92, 66), radius=10)
    edge: list[Point] = [(250 + s * 17.5, 300 + 250 * math.sin(s / 40 * math.pi)) for s in range(41)]
    c.poly([*edge, *[(x, y - 130 * math.sin((x - 250) / 700 * math.pi)) for x, y in reversed(edge)]], lit(k))
    c.poly([*edge, *[(x, y - 66 * math.sin((x - 250) / 700 * math.pi)) for x, y in reversed(edge)]], k)
    c.line([(220, 260), (262, 310)], 6, DARK)
    c.line([(980, 260), (940, 310)], 6, DARK)


def cookset(c: Canvas, k: Colour) -> None:
    c.rect((390, 420, 810, 690), METAL, radius=36)
    c.rect((740, 430, 810, 680), shaded(METAL), radius=30)
    c.oval(600, 420, 222, 36, lit(METAL))
    c.pie(600, 416, 216, 110, (180, 360), k)
    c.disc(600, 300, 20, DARK)
    for side in (-1, 1):
        c.rect((600 + side * 270 - 62, 480, 600 + side * 270 + 62, 510), k, radius=14)


def bottle(c: Canvas, k: Colour) -> None:
    c.rect((490, 290, 710, 700), k, radius=48)
    c.poly([(496, 330), (704, 330), (660, 220), (540, 220)], k)
    c.rect((640, 300, 710, 690), shaded(k), radius=40)
    c.rect((530, 150, 670, 226), DARK, radius=14)
    c.arc(600, 140, 44, 44, (180, 360), DARK, 14)
    c.rect((520, 340, 540, 640), lit(k), radius=9)
    c.poly([(540, 560), (590, 470), (620, 520), (645, 486), (690, 560)], lit(k, 0.7))


def chair(c: Canvas, k: Colour) -> None:
    for a, b in (
        ((420, 700), (760, 400)),
        ((780, 700), (440, 400)),
        ((440, 430), (400, 200)),
        ((760, 430), (800, 200)),
    ):
        c.line([a, b], 16, DARK)
    c.poly([(400, 190), (800, 190), (770, 450), (430, 450)], k)
    c.poly([(420, 450), (780, 450), (810, 520), (390, 520)], shaded(k))
    c.rect((400, 182, 800, 206), lit(k), radius=10)


DRAWINGS = (tent, sleeping_bag, stove, mug, headlamp, hammock, cookset, bottle, chair)
