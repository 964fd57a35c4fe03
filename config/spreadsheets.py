"""Cells for spreadsheets, which take some texts for formulas and run them."""

from __future__ import annotations

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", *map(chr, (0xFF1D, 0xFF0B, 0xFF0D, 0xFF20)))  # full-width too


def neutral(text: str, *, numbers: bool = False) -> str:
    """The text, with an apostrophe before it if a spreadsheet would run it. ``numbers``: these may stay."""
    if text.startswith(DANGEROUS) and not (numbers and is_number(text)):
        return f"'{text}"
    return text


def is_number(text: str) -> bool:
    return text[0] in "+-" and text[1:].replace(".", "", 1).isdigit() and text.isascii()
