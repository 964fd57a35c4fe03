"""What cannot be done with an audience."""

from __future__ import annotations

from config.faults import Fault


class AudienceFault(ValueError):
    """``code``: bad_name, name_taken, bad_description, bad_tags, bad_purpose, in_use, archived,
    unknown_version; ``field``: which part of the audience is meant."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.field = code, field


class InUse(AudienceFault):
    """Others name it; ``referrers``: what they are called."""

    def __init__(self, referrers: list[str]) -> None:
        super().__init__("in_use", "", f"It is used by {', '.join(referrers)}. Change these first.")
        self.referrers = referrers


class Busy(Fault):
    """The audience is being calculated just now."""


class CannotCalculate(Fault):
    """A calculation failed; the members are those of the last one."""
