"""The collector in a surge that never ends: every event goes through the journal."""

from __future__ import annotations

import os
import sys

import django


def never_be_calm() -> None:
    from tracking.collector import surge

    surge.CALM_RATE = 0.0
    surge.Meter.is_crowded = property(lambda _meter: True)  # type: ignore[assignment,method-assign]
    surge.GATHER_SECONDS = 0.05  # so that most kills meet the mover at work


def serve() -> None:
    from tracking.collector import server

    server.run(host="127.0.0.1", port=int(sys.argv[sys.argv.index("--port") + 1]))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    never_be_calm()
    serve()
