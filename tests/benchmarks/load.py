"""64 connections that send events as fast as they are answered: wrk where installed, else our own client."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from pathlib import Path

CONNECTIONS = 64
SCRIPT = Path(__file__).with_name("events.lua")


def rate(port: int, *, seconds: int, run: str, connections: int = CONNECTIONS) -> float:
    """Answers per second. ``run`` makes the event ids of this run unlike all others. Fails on any error."""
    if shutil.which("wrk"):
        return with_wrk(port, seconds=seconds, run=run, connections=connections)
    return asyncio.run(with_own_client(port, seconds=seconds, run=run, connections=connections))


def with_wrk(port: int, *, seconds: int, run: str, connections: int) -> float:
    command = ["wrk", "-t", "2", "-c", str(connections), "-d", f"{seconds}s", "-s", str(SCRIPT)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}", "--", run], capture_output=True, text=True, check=True
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    found = re.search(r"Requests/sec:\s+([0-9.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


async def with_own_client(port: int, *, seconds: int, run: str, connections: int) -> float:
    until = time.monotonic() + seconds
    counts = await asyncio.gather(*(one_client(port, f"{run}-{n}", until) for n in range(connections)))
    return sum(counts) / seconds


async def one_client(port: int, run: str, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while time.monotonic() < until:
        number += 1
        path = f"/api/4711/click/user{number % 5000}/1/{number % 1000 + 1}"
        query = f"categorypath=%2FCameras%2FCompact&eventid={run}-{number}"
        writer.write(f"GET {path}?{query} HTTP/1.1\r\nHost: events.test\r\n\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 204"), answer
    writer.close()
    return number
