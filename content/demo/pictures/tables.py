"""Food seen from the side or from above, on a laid table."""

from __future__ import annotations

import math

from content.demo.pictures.canvas import Canvas, Colour, mix
from content.demo.pictures.palettes import Palette
from content.demo.pictures.shores import fish

WARM: tuple[Colour, ...] = (
    (232, 92, 66),
    (245, 180, 66),
    (126, 172, 84),
    (250, 226, 160),
    (178, 70, 84),
    (240, 138, 74),
)


def table(c: Canvas, p: Palette) -> None:
    wall = mix(p.horizon, p.light, 0.35)
    c.gradient(mix(wall, p.far, 0.35), wall, y1=520)
    c.gradient(mix(p.near, p.accent, 0.18), mix(p.ground, p.near, 0.4), y0=520)
    for x in range(0, 1200, 150):
        c.line([(x + 40, 524), (x - 60 + (x - 600) * 0.4, 800)], 2.4, mix(p.ground, p.near, 0.35))
    for x in (180, 1010):
        c.line([(x, 0), (x, 120)], 3, p.ground)
        c.pie(x, 170, 84, 66, (180, 360), p.accent)
        c.pie(x, 168, 26, 22, (0, 180), p.sun)


def steam(c: Canvas, x: float, y: float, colour: Colour) -> None:
    for offset in (-56, 0, 56):
        points = [(x + offset + 13 * math.sin(step / 2.4 + offset), y - step * 10) for step in range(13)]
        c.line(points, 7, colour)


def bowl(c: Canvas, p: Palette) -> None:
    table(c, p)
    x, y = 600, 480
    c.oval(x, 712, 300, 30, mix(p.ground, (0, 0, 0), 0.25))
    c.pie(x, y, 300, 236, (0, 180), p.light)
    c.pie(x + 30, y, 268, 222, (0, 90), mix(p.light, p.far, 0.3))
    c.rect((x - 92, 704, x + 92, 724), mix(p.light, p.far, 0.3), radius=8)
    c.arc(x, y + 40, 262, 160, (20, 160), p.accent, 10)
    c.oval(x, y, 300, 66, mix(p.light, p.far, 0.25))
    c.oval(x, y, 276, 54, mix(p.accent, (120, 60, 20), 0.4))
    for _ in range(26):
        angle, reach = c.random.random() * math.tau, c.random.random() ** 0.6
        c.oval(
            x + math.cos(angle) * 220 * reach,
            y + math.sin(angle) * 34 * reach,
            c.random.uniform(18, 44),
            c.random.uniform(9, 18),
            c.random.choice(WARM),
        )
    c.oval(x - 90, y - 8, 62, 24, (255, 250, 236))
    c.oval(x - 84, y - 8, 26, 13, (246, 176, 54))
    for offset in (0, 30):
        c.line([(x + 80 + offset, y - 6), (x + 330 + offset, y - 250)], 9, p.ground)
    steam(c, x - 30, y - 70, mix(p.light, p.horizon, 0.4))


def plate(c: Canvas, p: Palette) -> None:
    cloth = mix(p.near, p.accent, 0.1)
    c.gradient(cloth, mix(cloth, p.ground, 0.4))
    for x in range(0, 1200, 100):
        c.rect((x, 0, x + 46, 800), mix(cloth, p.light, 0.08))
    for y in range(0, 800, 100):
        c.rect((0, y, 1200, y + 46), mix(cloth, p.light, 0.07))
    for x, y, r in ((600, 410, 290), (1010, 170, 120), (170, 640, 130)):
        c.disc(x + 12, y + 16, r, mix(cloth, (0, 0, 0), 0.32))
        c.disc(x, y, r, p.light)
        c.ring(x, y, r - 18, r - 18, mix(p.light, p.accent, 0.6), 5)
        c.disc(x, y, r * 0.74, mix(p.light, p.far, 0.18))
        base = c.random.choice(WARM)
        c.disc(x, y, r * 0.6, mix(base, p.light, 0.2))
        for _ in range(int(r / 7)):
            angle, reach = c.random.random() * math.tau, r * 0.5 * c.random.random() ** 0.5
            c.disc(
                x + math.cos(angle) * reach,
                y + math.sin(angle) * reach,
                c.random.uniform(0.05, 0.13) * r,
                c.random.choice(WARM),
            )
        for _ in range(8):
            angle, reach = c.random.random() * math.tau, r * 0.4 * c.random.random()
            c.oval(
                x + math.cos(angle) * reach, y + math.sin(angle) * reach, r * 0.07, r * 0.03, (76, 140, 84)
            )
    c.rect((238, 150, 250, 640), mix(p.light, p.far, 0.5), radius=6)
    c.rect((222, 150, 266, 250), mix(p.light, p.far, 0.5), radius=12)
    c.rect((948, 330, 962, 690), mix(p.light, p.far, 0.5), radius=6)
    c.oval(955, 330, 24, 60, mix(p.light, p.far, 0.5))


def cup(c: Canvas, p: Palette) -> None:
    table(c, p)
    c.oval(600, 716, 300, 34, mix(p.light, p.far, 0.2))
    c.oval(600, 706, 240, 22, mix(p.light, p.far, 0.45))
    c.ring(800, 540, 84, 90, p.light, 30)
    c.rect((400, 420, 790, 700), p.light, radius=70)
    c.rect((400, 420, 790, 560), p.light)
    c.rect((700, 440, 790, 660), mix(p.light, p.far, 0.25), radius=44)
    c.oval(595, 420, 195, 40, mix(p.light, p.far, 0.3))
    c.oval(595, 424, 174, 31, (96, 56, 40))
    c.oval(570, 422, 70, 12, (196, 140, 92))
    c.rect((400, 560, 790, 590), p.accent)
    steam(c, 595, 380, mix(p.light, p.horizon, 0.4))
    c.oval(240, 712, 120, 20, mix(p.ground, p.near, 0.5))
    for x in (190, 250, 300):
        c.oval(x, 690, 44, 28, c.random.choice(WARM))


def market(c: Canvas, p: Palette) -> None:
    wall = mix(p.horizon, p.far, 0.3)
    c.gradient(wall, mix(wall, p.light, 0.3))
    c.gradient(mix(p.near, p.light, 0.3), p.near, y0=640)
    c.rect((90, 250, 1110, 640), mix(p.ground, p.near, 0.35))
    for stripe in range(12):
        left = 60 + stripe * 90
        colour = p.accent if stripe % 2 else p.light
        c.poly([(left + 10, 130), (left + 100, 130), (left + 90, 262), (left, 262)], colour)
        c.pie(left + 45, 262, 45, 32, (0, 180), colour)
    for row, y in enumerate((470, 610)):
        for crate in range(5):
            left = 110 + crate * 200
            fruit = WARM[(crate + row * 2) % len(WARM)]
            for _ in range(26):
                c.disc(
                    left + c.random.uniform(22, 168),
                    y - c.random.uniform(0, 46),
                    c.random.uniform(15, 20),
                    mix(fruit, (60, 20, 20), c.random.uniform(0, 0.22)),
                )
            c.rect((left, y - 6, left + 190, y + 66), mix((176, 122, 78), p.ground, 0.12 * row), radius=4)
            for slat in (14, 38):
                c.rect((left, y + slat, left + 190, y + slat + 5), (120, 80, 54))
    for x in (330, 600, 870):
        c.line([(x, 262), (x, 320)], 3, p.light)
        c.disc(x, 336, 19, p.sun)


def bread(c: Canvas, p: Palette) -> None:
    table(c, p)
    c.rect((210, 640, 990, 690), (150, 98, 62), radius=18)
    for x, rx, ry in ((420, 190, 120), (720, 220, 140)):
        c.pie(x, 646, rx, ry * 2, (180, 360), (206, 138, 74))
        c.pie(x + 12, 646, rx * 0.9, ry * 1.7, (180, 360), (222, 162, 96))
        for cut in (-0.45, 0.0, 0.45):
            c.line(
                [(x + rx * cut - 26, 646 - ry * 1.25), (x + rx * cut + 34, 646 - ry * 1.6 + abs(cut) * 90)],
                13,
                (250, 226, 180),
            )
    c.poly([(860, 640), (1010, 640), (930, 560)], (248, 208, 96))
    c.disc(930, 614, 10, (226, 176, 60))
    c.rect((120, 430, 220, 640), mix((110, 150, 70), p.ground, 0.3), radius=26)
    c.rect((148, 340, 192, 450), mix((110, 150, 70), p.ground, 0.3), radius=8)
    c.rect((130, 500, 210, 580), p.light, radius=6)


def teapot(c: Canvas, p: Palette) -> None:
    """A pot that is poured from high up into small glasses on a tray."""
    table(c, p)
    brass, shade = mix((226, 178, 92), p.light, 0.15), mix((150, 98, 48), p.ground, 0.2)
    c.oval(600, 716, 400, 40, mix(brass, shade, 0.55))
    c.oval(600, 706, 380, 34, brass)
    c.ring(600, 706, 330, 26, mix(brass, shade, 0.4), 4)
    c.arc(720, 540, 112, 104, (250, 450), shade, 22)
    c.poly([(440, 640), (330, 470), (300, 440), (344, 436), (400, 500), (480, 540)], mix(brass, shade, 0.25))
    c.oval(590, 570, 180, 126, brass)
    c.arc(590, 570, 180, 126, (-40, 110), mix(brass, shade, 0.3), 30)
    c.arc(590, 570, 158, 106, (190, 240), mix(brass, p.light, 0.5), 10)
    c.poly([(500, 470), (680, 470), (640, 376), (540, 376)], mix(brass, shade, 0.12))
    c.pie(590, 384, 62, 70, (180, 360), brass)
    c.disc(590, 306, 14, shade)
    for y, half in ((470, 92), (574, 178)):
        c.rect((590 - half, y - 5, 590 + half, y + 5), mix(brass, shade, 0.45), radius=5)
    for x in (240, 880, 1000):
        tea_glass(c, x, 712, p)
    steam(c, 296, 400, mix(p.light, p.horizon, 0.4))


def tea_glass(c: Canvas, x: float, base: float, p: Palette) -> None:
    amber = (188, 92, 38)
    c.oval(x, base, 58, 12, mix(p.light, p.far, 0.2))
    for half, colour, top in ((42, mix(p.light, p.horizon, 0.3), base - 142), (36, amber, base - 112)):
        waist = half * 0.68
        c.poly(
            [(x - half, top), (x + half, top), (x + waist, base - 66), (x + half * 0.9, base - 22)]
            + [(x + half * 0.5, base - 4), (x - half * 0.5, base - 4)]
            + [(x - half * 0.9, base - 22), (x - waist, base - 66)],
            colour,
        )
    c.oval(x, base - 112, 36, 7, mix(amber, p.sun, 0.35))
    c.oval(x + 8, base - 112, 16, 4, (110, 160, 84))
    c.line([(x - 24, base - 130), (x - 18, base - 76)], 4, p.light)


def grill(c: Canvas, p: Palette) -> None:
    """Fish over charcoal, seen from above."""
    c.gradient(mix(p.water, p.light, 0.35), mix(p.water, p.near, 0.3))
    c.rect((90, 92, 1110, 708), (52, 48, 52), radius=46)
    c.rect((124, 120, 1076, 680), (34, 28, 30), radius=26)
    for _ in range(190):
        ember = mix((70, 40, 36), c.random.choice(((238, 96, 40), (250, 160, 60), (96, 84, 82))), 0.75)
        c.disc(
            c.random.uniform(150, 1050),
            c.random.uniform(140, 660),
            c.random.uniform(10, 26),
            mix(ember, (34, 28, 30), c.random.uniform(0.1, 0.6)),
        )
    for y in range(148, 670, 34):
        c.rect((124, y, 1076, y + 7), (150, 146, 146), radius=3)
    for column, x in enumerate((340, 640, 940)):
        for row in range(3):
            if (column, row) == (2, 1):
                continue
            sardine(c, x + c.random.uniform(-14, 14), 225 + row * 172 + c.random.uniform(-12, 12), p)
    for x, y in ((880, 400), (1000, 372), (946, 466)):
        lemon(c, x, y)


def sardine(c: Canvas, x: float, y: float, p: Palette) -> None:
    back, belly = (74, 104, 128), (206, 214, 214)
    fish(c, x, y, 2.6, back, p)
    c.pie(x, y, 109, 62, (12, 168), belly)
    for mark in range(-70, 60, 34):
        c.line([(x + mark - 10, y - 34), (x + mark + 16, y + 36)], 9, mix(back, (40, 26, 20), 0.7))
    c.disc(x + 66, y - 12, 11, p.light)
    c.disc(x + 68, y - 12, 6, (24, 24, 30))


def lemon(c: Canvas, x: float, y: float) -> None:
    c.disc(x, y, 54, (246, 200, 60))
    c.disc(x, y, 46, (255, 246, 206))
    for wedge in range(8):
        c.pie(x, y, 41, 41, (wedge * 45 + 4, wedge * 45 + 41), (250, 216, 92))
