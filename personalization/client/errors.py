"""What can go wrong in the connector. Every message is a sentence for the person who reads it."""

from __future__ import annotations


class ConnectorError(Exception):
    """Base of all errors of the connector."""


class WrongUse(ConnectorError):
    """The call itself is wrong; nothing was done and trying again cannot help."""


class AlreadyRunning(ConnectorError):
    """Another export of the customer is under way."""


class ExportFailed(ConnectorError):
    """An export ended without being announced; trying again is safe."""


class EngineError(ConnectorError):
    """The engine did not take a call. ``status`` is its answer, None if there was none."""

    def __init__(
        self, message: str, *, status: int | None = None, retry: bool, retry_after: float = 0
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry = retry  # whether the same call may succeed later
        self.retry_after = retry_after  # seconds the engine asked us to wait, 0 if it did not say
