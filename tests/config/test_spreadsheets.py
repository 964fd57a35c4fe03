"""A cell for a spreadsheet ..."""

from __future__ import annotations

import pytest

from config.spreadsheets import neutral


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_it_is_never_a_formula(sign: str) -> None:
    assert neutral(f"{sign}cmd") == f"'{sign}cmd"
    assert neutral(f"a{sign}") == f"a{sign}"
    assert neutral(f"{sign}1", numbers=True) == (f"{sign}1" if sign in "+-" else f"'{sign}1")
