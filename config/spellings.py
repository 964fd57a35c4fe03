"""Names under which commands are known elsewhere, mapped to ours."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence

ALIASES = {
    "ibexa:personalization:run-export": "run_export",
    "ibexa:recommendation:run-export": "run_export",
    "ezrecommendation:export:run": "run_export",
    "run-export": "run_export",
    "ibexa:recommendation:update-user": "update_users",
    "ezrecommendation:user:update": "update_users",
    "update-users": "update_users",
    "import-events": "import_events",
    "rebuild-items": "rebuild_items",
    "create-customer": "create_customer",
    "change-customer": "change_customer",
    "stream-user-data": "stream_user_data",
    "stream-product-data": "stream_product_data",
    "stream-content-data": "stream_content_data",
    "ibexa:cdp:stream-user-data": "stream_user_data",
    "ibexa:cdp:stream-product-data": "stream_product_data",
    "ibexa:cdp:stream-content-data": "stream_content_data",
    "cdp-cron": "cdp_cron",
    "messenger:consume": "work",
}


# Options of messenger:consume whose value may stand behind them.
VALUED = {"--limit", "--failure-limit", "--time-limit", "--memory-limit", "--sleep", "--bus", "--queues"}
# A dash that a word processor made of two, as printed manuals of older versions have it.
DASHES = re.compile(r"^[-\u2010-\u2015\u2212]*[\u2010-\u2015\u2212][-\u2010-\u2015\u2212]*(?=[A-Za-z])")
# How Symfony's console says how much to tell; Django wants a number.
VERBOSITY = {"-vv": "--verbosity=2", "-vvv": "--verbosity=3"}


def canonical_argv(argv: list[str]) -> list[str]:
    """Return ``argv`` with the command name replaced by the one Django knows, and typeset dashes by two."""
    argv = [*argv[:2], *(DASHES.sub("--", argument) for argument in argv[2:])]
    argv = [VERBOSITY.get(argument, argument) for argument in argv]
    if len(argv) < 2 or argv[1] not in ALIASES:
        return argv
    command = ALIASES[argv[1]]
    rest = without_transports(argv[2:]) if argv[1] == "messenger:consume" else argv[2:]
    return [argv[0], command, *rest]


def without_transports(arguments: list[str]) -> list[str]:
    """The options of messenger:consume, each with its value; our worker needs no transport."""
    behind = ["", *arguments[:-1]]
    return [
        one for one, before in zip(arguments, behind, strict=True) if one.startswith("-") or before in VALUED
    ]


def refuse_unknown(command: Sequence[str]) -> None:
    """End with 2, as every wrong use does, when there is no such command; Django would end with 1."""
    import django
    from django.core.management import get_commands

    if not command or command[0].startswith("-") or command[0] in ("help", "version"):
        return
    if any(option.startswith(("--settings", "--pythonpath")) for option in sys.argv):
        return  # Django reads these before it looks for the command
    django.setup()
    known = [*get_commands(), *ALIASES]
    if command[0] in known:
        return
    near = difflib.get_close_matches(command[0], known, n=1)
    hint = f" Did you mean {near[0]}?" if near else " `manage.py help` lists what there is."
    sys.stderr.write(f"There is no command {command[0]!r}.{hint}\n")
    sys.exit(2)
