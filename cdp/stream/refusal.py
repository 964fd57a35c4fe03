from __future__ import annotations


class Refused(Exception):
    """The delivery cannot be taken; nothing of it was stored. ``index``: of the row it is about."""

    def __init__(self, status: int, code: str, detail: str, *, index: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.index = index
