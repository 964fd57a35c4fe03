"""Users to a customer data platform: ``python -m tests.benchmarks stream_export``.

The shipped ``manage.py stream_user_data --no-draft`` with default settings sends 100,000 users
(``BENCH_USERS``) from SQLite to a receiver that is a process of its own and only reads. Peak memory is that
of the command above a dry run of one row. Mark of the same run: as many rows read with one query of Django's
ORM, written with orjson and posted in chunks of 500 by a bare loop. Goal: half the mark's rate, and 30 MB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.flows.installation import ROOT, Installation

USERS = int(os.environ.get("BENCH_USERS", "100000"))
GOAL_SHARE, GOAL_MB = 0.5, 30.0
RECEIVER = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202); self.send_header("Content-Length", "2"); self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *args): pass
server = HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
"""
SITES = """
personalization:
  system:
    site_en:
      cdp:
        account_number: 123456
        stream_endpoint: {base}
        data_export: {{user_data: {{stream_file: {{stream_id: 01234567-0123-4567-89ab-0123456789ab}}}}}}
"""
PREPARE = f"""
from django.contrib.auth.models import User
User.objects.bulk_create(
    [User(username=f"user-{{n}}", email=f"user-{{n}}@example.org", first_name="Ada", last_name=f"L {{n}}")
     for n in range({USERS})], batch_size=5000)
"""
MARK = """
import time, itertools, orjson, requests
from django.contrib.auth.models import User
began = time.perf_counter()
session = requests.Session()
rows = User.objects.order_by("pk").values("id", "username", "email", "first_name", "last_name")
rows = rows.iterator(chunk_size=500)
while chunk := list(itertools.islice(rows, 500)):
    session.post("{base}/stream/1", data=orjson.dumps(chunk))
print(time.perf_counter() - began)
"""


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    with tempfile.TemporaryDirectory(prefix="bench-stream-") as folder, receiver() as base:
        sites = Path(folder) / "sites.yaml"
        sites.write_text(SITES.format(base=base))
        env = {"LODESTAR_SITES_FILE": str(sites), "LODESTAR_DEBUG": "0", "SECRET_KEY": "benchmark-only-" * 4}
        installation = Installation(var_dir=Path(folder), extra_env=env)
        installation.manage("migrate", "--verbosity=0")
        installation.python(PREPARE)
        start, idle = command(installation, "--dry-run", "--limit=1")
        seconds, peak = command(installation)
        mark = float(installation.python(MARK.replace("{base}", base)).split()[-1])
    return report(seconds - start, peak - idle, start=start, mark=mark)


def command(installation: Installation, *options: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of one run."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "stream_user_data", "--no-draft", *options],
        cwd=ROOT,
        env=installation.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, output
    return time.perf_counter() - began, usage.ru_maxrss / 1024


@contextmanager
def receiver() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


def report(seconds: float, memory: float, *, start: float, mark: float) -> int:
    rate, bare = USERS / seconds, USERS / mark
    missed = rate < GOAL_SHARE * bare or memory > GOAL_MB
    sys.stdout.write(
        f"{USERS:,} users in chunks of 500: {rate:,.0f} rows/s ({seconds:.1f} s behind a start of"
        f" {start:.1f} s), {memory:.0f} MB above a run of one row (goal {GOAL_MB:g} MB)\n"
        f"mark, a bare loop without processors, rows that say how far it is, and retries: {bare:,.0f} rows/s;"
        f" {rate / bare:.2f} of it (goal {GOAL_SHARE}): {'MISSED' if missed else 'met'}\n"
    )
    return int(missed)
