"""Engines of four minds, in one process: ``python -m tests.benchmarks.engines``.

Prints the ports of the healthy, the slow, the absent and the hostile one, then serves until it is ended. The
absent one's port is bound and not listened to, so that every connection is refused.
"""

from __future__ import annotations

import itertools
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOW_SECONDS = 30.0
GARBAGE = b"\x16\x03\x01 this is no HTTP \xff\xfe\r\n\r\n" + b"\0" * 4096
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 9\r\n\r\n{'oops': "
CUT_OFF = b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n{"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n" + b"x" * 2_000_000


class Healthy(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer()

    def answer(self) -> None:
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Keep the output to the ports."""


class Slow(Healthy):
    def answer(self) -> None:
        time.sleep(SLOW_SECONDS)
        try:
            super().answer()
        except OSError:
            self.close_connection = True


class Hostile(Healthy):
    turns = itertools.cycle((GARBAGE, BROKEN, CUT_OFF, ENDLESS, BROKEN, b""))

    def answer(self) -> None:
        self.close_connection = True
        try:
            self.wfile.write(next(self.turns))
        except OSError:
            return


def started(handler: type[BaseHTTPRequestHandler]) -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def main() -> None:
    with socket.socket() as absent:
        absent.bind(("127.0.0.1", 0))
        ports = [started(Healthy), started(Slow), absent.getsockname()[1], started(Hostile)]
        sys.stdout.write(" ".join(map(str, ports)) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
