"""Goods of the shop on a plain background, each in the colour of its product."""

from __future__ import annotations

import math

from content.demo.pictures.canvas import Canvas, Colour, Point, mix, rgb

DARK: Colour = (38, 46, 60)
METAL: Colour = (190, 198, 206)
PAPER: Colour = (252, 246, 232)

COLOURS = {
    name: rgb(value)
    for name, value in {
        "blue": "2f6fa8",
        "teal": "1f8a85",
        "green": "4d8a55",
        "olive": "7d7f45",
        "red": "cf4a3c",
        "orange": "e8823a",
        "yellow": "edb72f",
        "sand": "cfae7b",
        "brown": "8a5a3c",
        "grey": "76828f",
        "black": "3a414e",
        "rose": "d9788c",
        "white": "e9e6de",
        "navy": "28406b",
    }.items()
}


def shaded(colour: Colour, share: float = 0.24) -> Colour:
    return mix(colour, (14, 20, 40), share)


def lit(colour: Colour, share: float = 0.3) -> Colour:
    return mix(colour, (255, 255, 255), share)


def studio(c: Canvas, colour: Colour) -> None:
    back = mix(colour, (250, 246, 238), 0.8)
    c.gradient(mix(back, (255, 255, 255), 0.35), back)
    c.disc(600 + c.random.uniform(-70, 70), 370, 320, mix(back, colour, 0.22))
    c.gradient(mix(back, colour, 0.1), mix(back, colour, 0.24), y0=650)
    c.oval(600, 690, 330, 30, mix(back, shaded(colour), 0.42))


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


GOODS = {
    drawing.__name__.replace("_", "-"): drawing
    for drawing in (
        *(backpack, duffel, suitcase, tote, cubes, hipbag, drybag, satchel),
        *(tent, sleeping_bag, stove, mug, headlamp, hammock, cookset, bottle, chair),
        *(folded_map, book, cookbook, notebook, globe_map, star_chart, cards),
        *(jacket, puffer, boots, shirt, hat, socks, sandals, snorkel),
        *(camera, instant_camera, action_camera, tripod, binoculars, lens),
    )
}
