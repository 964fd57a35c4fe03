"""gunicorn's logs without raw user ids, secrets and queries."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from config.redaction import OneLine, redacted_path

INVALID = "Invalid request from ip="


class AccessLog(Logger):  # type: ignore[misc]
    """Replaces the user segment of event and recommendation addresses."""

    def setup(self, cfg: Any) -> None:
        """The error log names the addresses of requests that failed."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(OneLine(self.error_fmt, self.datefmt))

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Of what is no HTTP the sentence repeats lines, in which nobody can tell an id from the rest."""
        if msg.startswith(INVALID):
            fault = sys.exc_info()[0]
            msg = f"{msg.partition(': ')[0]}: {fault.__name__ if fault else 'not HTTP'}"
        super().warning(msg, *args, **kwargs)

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
