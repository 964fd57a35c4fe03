"""gunicorn's access log without raw user ids and without queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from config.redaction import redacted_path

ATOMS_WITH_PATHS = ("r", "U", "f")


class AccessLog(Logger):  # type: ignore[misc]
    """Replaces the user segment of event and recommendation addresses."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        path = redacted_path(str(environ.get("RAW_URI", "")))
        atoms["r"] = f"{environ.get('REQUEST_METHOD')} {path} {environ.get('SERVER_PROTOCOL')}"
        atoms["U"], atoms["q"] = path, ""
        # A page's address may hold what the visitor searched for.
        atoms["f"] = redacted_path(str(atoms.get("f", "-")))
        return atoms
