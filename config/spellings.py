"""Names under which commands are known elsewhere, mapped to ours."""

from __future__ import annotations

ALIASES = {
    "ibexa:personalization:run-export": "run_export",
    "ibexa:recommendation:run-export": "run_export",
    "ezrecommendation:export:run": "run_export",
    "run-export": "run_export",
    "import-events": "import_events",
    "rebuild-items": "rebuild_items",
    "create-customer": "create_customer",
    "messenger:consume": "work",
}


def canonical_argv(argv: list[str]) -> list[str]:
    """Return ``argv`` with the command name replaced by the one Django knows."""
    if len(argv) < 2 or argv[1] not in ALIASES:
        return argv
    command = ALIASES[argv[1]]
    # messenger:consume names a transport, which our worker has no need of.
    rest = [a for a in argv[2:] if a.startswith("-")] if argv[1] == "messenger:consume" else argv[2:]
    return [argv[0], command, *rest]
