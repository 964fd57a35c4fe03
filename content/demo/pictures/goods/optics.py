"""Cameras, and what else one looks through."""

from __future__ import annotations

from content.demo.pictures.canvas import Canvas, Colour, mix
from content.demo.pictures.goods.studio import COLOURS, DARK, METAL, PAPER, shaded


def camera(c: Canvas, k: Colour) -> None:
    c.rect((470, 220, 700, 330), shaded(k), radius=26)
    c.rect((330, 190, 420, 300), DARK, radius=14)
    c.rect((270, 280, 930, 680), k, radius=56)
    c.rect((270, 360, 930, 600), DARK)
    c.disc(600, 480, 176, METAL)
    c.disc(600, 480, 150, DARK)
    c.disc(600, 480, 104, (44, 70, 110))
    c.disc(600, 480, 60, (18, 26, 44))
    c.disc(560, 440, 26, (200, 226, 244))
    c.rect((800, 312, 890, 346), PAPER, radius=8)
    c.disc(340, 322, 14, COLOURS["red"])


def instant_camera(c: Canvas, k: Colour) -> None:
    c.rect((440, 560, 760, 760), PAPER)
    c.rect((464, 580, 736, 720), (120, 180, 200))
    c.rect((330, 200, 870, 610), (240, 236, 226), radius=60)
    c.rect((330, 470, 870, 520), k)
    c.rect((370, 560, 830, 580), DARK, radius=8)
    c.disc(600, 360, 116, DARK)
    c.disc(600, 360, 72, (50, 76, 116))
    c.disc(574, 334, 18, PAPER)
    c.rect((760, 240, 836, 296), METAL, radius=10)
    c.disc(390, 270, 26, k)


def action_camera(c: Canvas, k: Colour) -> None:
    c.rect((540, 600, 660, 700), DARK, radius=16)
    c.rect((350, 250, 850, 620), mix(k, PAPER, 0.55), radius=60)
    c.rect((386, 286, 814, 584), DARK, radius=40)
    c.disc(680, 410, 104, METAL)
    c.disc(680, 410, 80, (24, 34, 54))
    c.disc(652, 384, 20, (190, 220, 240))
    c.rect((424, 320, 540, 420), k, radius=12)
    c.disc(450, 520, 12, COLOURS["red"])


def tripod(c: Canvas, k: Colour) -> None:
    for x in (380, 600, 820):
        c.line([(600, 330), (600 + (x - 600) * 0.5, 520)], 26, DARK)
        c.line([(600 + (x - 600) * 0.48, 510), (x, 710)], 16, k)
    c.rect((570, 240, 630, 360), k, radius=12)
    c.rect((480, 190, 720, 236), DARK, radius=14)
    c.line([(640, 300), (780, 350)], 14, k)
    c.rect((520, 90, 690, 190), shaded(k, 0.5), radius=16)
    c.disc(600, 140, 38, METAL)


def binoculars(c: Canvas, k: Colour) -> None:
    for side in (-1, 1):
        x = 600 + side * 130
        c.poly([(x - 66, 240), (x + 66, 240), (x + 112, 560), (x - 112, 560)], k)
        c.rect((x - 76, 190, x + 76, 262), DARK, radius=20)
        c.oval(x, 600, 124, 70, DARK)
        c.oval(x, 604, 96, 50, (64, 104, 140))
        c.oval(x - 26, 592, 28, 14, (190, 220, 236))
    c.rect((560, 320, 640, 480), shaded(k, 0.45), radius=16)


def lens(c: Canvas, k: Colour) -> None:
    c.rect((420, 200, 780, 680), DARK, radius=40)
    for y, tall, colour in ((280, 86, shaded(k)), (440, 110, (58, 66, 80)), (590, 40, METAL)):
        c.rect((404, y, 796, y + tall), colour, radius=14)
    for x in range(424, 790, 26):
        c.rect((x, 446, x + 9, 544), (84, 94, 110))
    c.oval(600, 206, 180, 66, (60, 70, 90))
    c.oval(600, 208, 140, 48, (44, 80, 130))
    c.oval(556, 196, 44, 14, (190, 216, 240))


DRAWINGS = (camera, instant_camera, action_camera, tripod, binoculars, lens)
