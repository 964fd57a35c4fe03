"""What can be wrong with an activation that somebody writes."""

from __future__ import annotations


class ActivationFault(Exception):
    """Nothing was changed. ``code`` for programs, ``field`` that is wrong, and a sentence."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
