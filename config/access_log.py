"""gunicorn's logs without raw user ids, secrets and queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from config.redaction import OneLine, redacted_path

ATOMS_WITH_PATHS = ("r", "U", "f")


class AccessLog(Logger):  # type: ignore[misc]
    """Replaces the user segment of event and recommendation addresses."""

    def setup(self, cfg: Any) -> None:
        """The error log repeats request lines and headers that are not HTTP."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(OneLine(self.error_fmt, self.datefmt))

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        path = redacted_path(without_query(str(environ.get("RAW_URI", ""))))
        atoms["r"] = f"{environ.get('REQUEST_METHOD')} {path} {environ.get('SERVER_PROTOCOL')}"
        atoms["U"], atoms["q"] = path, ""
        # A page's address may hold what the visitor searched for.
        atoms["f"] = redacted_path(without_query(str(atoms.get("f", "-"))))
        return atoms


def without_query(address: str) -> str:
    return address.partition("?")[0]
