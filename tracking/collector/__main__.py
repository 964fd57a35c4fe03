"""`python -m tracking.collector --port 8001`: the collector without the rest of manage.py."""

from __future__ import annotations

import argparse
import os
import sys

import django


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    parser = argparse.ArgumentParser(
        prog="python -m tracking.collector", description="Takes visitors' events in."
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    django.setup()
    from tracking.collector import server

    try:
        server.run(host=options.host, port=options.port)
    except server.CannotListen as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
