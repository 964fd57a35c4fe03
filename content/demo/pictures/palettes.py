"""Moods: the colours of a scene by time of day and climate."""

from __future__ import annotations

from dataclasses import dataclass

from content.demo.pictures.canvas import Colour, rgb


@dataclass(frozen=True, kw_only=True)
class Palette:
    sky: Colour
    horizon: Colour
    sun: Colour
    far: Colour
    mid: Colour
    near: Colour
    ground: Colour
    water: Colour
    accent: Colour
    light: Colour
    night: bool = False


def palette(colours: str, *, night: bool = False) -> Palette:
    sky, horizon, sun, far, mid, near, ground, water, accent, light = map(rgb, colours.split())
    return Palette(
        sky=sky,
        horizon=horizon,
        sun=sun,
        far=far,
        mid=mid,
        near=near,
        ground=ground,
        water=water,
        accent=accent,
        light=light,
        night=night,
    )


#                         sky    horizon sun    far    mid    near   ground water  accent light
PALETTES = {
    "dawn": palette("5b7fb5 fbd3b6 fff0cf b9a4c0 8a7fae 56608f 2f3d66 7fa6c9 f0825f fff4e2"),
    "day": palette("4fa8dc d9f0f7 fff6c9 a8cbd8 6fa7a6 3f7f78 23565a 3f9fc0 f2694b fffaf0"),
    "sunset": palette("4a3b78 ff9a62 ffe39b b5648a 8a4a7a 56326a 321f4c c4637a ffcf5c ffe9cf"),
    "golden": palette("7fb4c8 ffe2a6 fffbe0 e3b57a c98a55 965d43 5c3a34 7fb0ad d9513c fff3d9"),
    "night": palette("111a3e 3c4d86 f5edc8 33437a 27346a 1a2450 0f1637 22376f ffc75f ffe9b3", night=True),
    "mist": palette("a9bfc9 eef2ee fffdf2 c3d0d1 97adb0 67848a 3c5a63 9fbcc4 e07a5f ffffff"),
    "tropic": palette("2fb6d0 e6fbf0 fff7bf 7fd0c0 35a88c 14795f 0b5347 17a9b8 ff7d5c fffbe8"),
    "autumn": palette("8fb3c9 fbe6c4 fff4d6 d9a066 c4713b 94452f 5a2a27 6f98a8 f2b134 fff2dc"),
    "arctic": palette("6f9fd0 eaf4fb fffdf0 c5d9ea 93b4d2 5f83ab 34527c 79aed0 e8604c ffffff"),
    "desert": palette("68a9c4 ffe9c7 fff5d2 f0b483 e08a56 b85f3d 7a3b2e 6fb3b5 2f8f8b fff1de"),
    "spring": palette("86c5e6 f6f3dc fff8d2 bcd9b0 86bd86 4f9263 2d6450 69b3cc ef7fa0 fffaf3"),
    "dusk": palette("26305e e58e8c ffdcb0 6f5a8f 4f4679 353262 1f2049 5a5590 ffb45c ffe3c7", night=True),
}
