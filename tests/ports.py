"""Ports for servers that tests start."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port that nothing listens on now; somebody else may still take it before the server does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
