"""Maps, books and games."""

from __future__ import annotations

import math

from content.demo.pictures.canvas import Canvas, Colour, mix
from content.demo.pictures.goods.studio import COLOURS, DARK, PAPER, lit, shaded


def folded_map(c: Canvas, k: Colour) -> None:
    land, sea = (226, 232, 196), mix(k, (214, 234, 240), 0.6)
    for fold in range(4):
        left, skew = 290 + fold * 156, 34 if fold % 2 else -34
        c.poly(
            [(left, 230 + skew), (left + 156, 230 - skew), (left + 156, 640 - skew), (left, 640 + skew)],
            mix(land, DARK, 0.1 * (fold % 2)),
        )
        c.poly(
            [(left, 470 + skew), (left + 156, 430 - skew), (left + 156, 640 - skew), (left, 640 + skew)],
            mix(sea, DARK, 0.1 * (fold % 2)),
        )
    for ring in (118, 86, 54, 26):
        c.ring(470, 360, ring, ring * 0.6, (176, 150, 110), 4)
    route = [(340, 560), (430, 470), (520, 500), (600, 400), (690, 440), (790, 330)]
    for a, b in zip(route, route[1:], strict=False):
        for share in (0.1, 0.4, 0.7):
            x, y = a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
            c.line([(x, y), (x + (b[0] - a[0]) * 0.17, y + (b[1] - a[1]) * 0.17)], 8, COLOURS["red"])
    c.disc(790, 296, 34, COLOURS["red"])
    c.poly([(762, 314), (818, 314), (790, 366)], COLOURS["red"])
    c.disc(790, 296, 13, PAPER)


def book(c: Canvas, k: Colour) -> None:
    c.rect((418, 170, 806, 700), PAPER, radius=10)
    c.rect((400, 156, 786, 684), k, radius=14)
    c.rect((400, 156, 446, 684), shaded(k), radius=14)
    c.rect((486, 210, 746, 320), lit(k, 0.75), radius=8)
    c.rect((510, 236, 722, 254), k, radius=6)
    c.rect((510, 276, 660, 290), k, radius=6)
    c.disc(616, 480, 96, lit(k, 0.35))
    c.poly([(530, 540), (590, 430), (630, 490), (660, 450), (704, 540)], lit(k, 0.8))


def cookbook(c: Canvas, k: Colour) -> None:
    c.rect((418, 170, 806, 700), PAPER, radius=10)
    c.rect((400, 156, 786, 684), k, radius=14)
    c.rect((400, 156, 446, 684), shaded(k), radius=14)
    c.rect((500, 206, 734, 240), PAPER, radius=8)
    c.pie(616, 470, 130, 130, (0, 180), PAPER)
    c.oval(616, 470, 130, 30, lit(k, 0.5))
    for x in (560, 616, 672):
        c.line([(x, 420), (x + 12, 390), (x - 6, 360), (x + 6, 330)], 7, PAPER)


def notebook(c: Canvas, k: Colour) -> None:
    c.rect((420, 180, 800, 690), PAPER, radius=16)
    c.rect((400, 170, 770, 680), k, radius=18)
    c.rect((700, 164, 722, 690), shaded(k, 0.4))
    c.rect((470, 250, 640, 330), PAPER, radius=8)
    c.poly([(820, 230), (850, 240), (800, 650), (780, 690), (770, 646)], COLOURS["yellow"])
    c.poly([(770, 646), (800, 650), (780, 690)], PAPER)


def globe_map(c: Canvas, k: Colour) -> None:
    c.rect((260, 190, 940, 640), PAPER)
    c.rect((290, 220, 910, 610), mix(k, (220, 236, 242), 0.55))
    for x, y, rx, ry in (
        (420, 330, 76, 58),
        (470, 480, 42, 74),
        (620, 320, 70, 44),
        (640, 450, 58, 76),
        (770, 330, 96, 66),
        (830, 510, 48, 30),
    ):
        c.oval(x, y, rx, ry, COLOURS["sand"])
        c.oval(x + rx * 0.4, y + ry * 0.35, rx * 0.6, ry * 0.6, COLOURS["green"])
    c.rect((240, 174, 960, 196), (128, 92, 66), radius=8)
    c.rect((240, 634, 960, 656), (128, 92, 66), radius=8)
    c.line([(400, 176), (600, 110), (800, 176)], 5, DARK)


def star_chart(c: Canvas, k: Colour) -> None:
    c.disc(600, 420, 280, k)
    c.disc(600, 420, 252, shaded(k, 0.5))
    c.ring(600, 420, 170, 170, mix(k, PAPER, 0.4), 2)
    stars = [(470, 330), (540, 300), (600, 350), (690, 320), (740, 400), (680, 480), (560, 520), (500, 460)]
    c.line(stars, 2.5, mix(k, PAPER, 0.6))
    for x, y in stars:
        c.disc(x, y, 8, COLOURS["yellow"])
    for _ in range(60):
        angle, reach = c.random.random() * math.tau, 240 * c.random.random() ** 0.5
        c.disc(
            600 + math.cos(angle) * reach, 420 + math.sin(angle) * reach, c.random.uniform(1.4, 3.4), PAPER
        )
    for tick in range(24):
        angle = tick / 24 * math.tau
        c.line(
            [
                (600 + math.cos(angle) * 256, 420 + math.sin(angle) * 256),
                (600 + math.cos(angle) * 274, 420 + math.sin(angle) * 274),
            ],
            4,
            PAPER,
        )


def cards(c: Canvas, k: Colour) -> None:
    for x, y, colour in ((300, 270, shaded(k)), (430, 220, k), (560, 190, PAPER)):
        c.rect((x, y, x + 300, y + 440), colour, radius=30)
    c.disc(710, 400, 100, lit(k, 0.3))
    c.poly([(630, 460), (690, 340), (730, 400), (752, 372), (796, 460)], shaded(k))
    c.rect((600, 540, 820, 558), k, radius=8)
    c.rect((600, 576, 760, 590), lit(k), radius=7)


DRAWINGS = (folded_map, book, cookbook, notebook, globe_map, star_chart, cards)
