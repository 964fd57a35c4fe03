"""The demo's login. Everybody knows it: `doctor` refuses it outside development."""

from __future__ import annotations

LOGIN, PASSWORD = "admin", "lodestar-demo"  # noqa: S105 - printed for the newcomer
