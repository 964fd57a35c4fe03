"""``python -m tests.engine_double --record FILE --customer ID:KEY [--customer ...] [--port N]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.engine_double.double import Double, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="engine_double")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--customer", action="append", required=True, metavar="ID:KEY")
    given = parser.parse_args()
    keys = dict(one.split(":", 1) for one in given.customer)
    server = serve(Double(keys=keys, record=given.record), given.port)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
