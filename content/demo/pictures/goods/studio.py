"""What all goods share: their colours, the plain background, light and shade."""

from __future__ import annotations

from content.demo.pictures.canvas import Canvas, Colour, mix, rgb

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
