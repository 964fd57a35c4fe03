"""Full export of 200,000 items: ``python -m tests.benchmarks.bench_export [--items N] [--runs N]``.

Drives the shipped command with its default settings on SQLite, each run in its own process, against an
engine that is a process too. Peak memory is that of the run above a dry run of the same command. Beside
it stands the limit: ready dictionaries written with orjson, as many bytes in as many files.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.environ import of_its_own

ROOT = Path(__file__).resolve().parents[2]
PORT = 9590
PAGE_SIZES = (10_000, 500)
MIN_RATE = 40_000
MAX_PEAK_MB = 250

ENGINE = f"""
from http.server import BaseHTTPRequestHandler, HTTPServer
class Engine(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *args): pass
server = HTTPServer(("127.0.0.1", {PORT}), Engine)
print("ready", flush=True)
server.serve_forever()
"""

LIMIT = """
import sqlite3, sys, time, orjson
database, folder, page = sys.argv[1], sys.argv[2], int(sys.argv[3])
rows = sqlite3.connect(database).execute("SELECT payload FROM content_item")
items = [orjson.loads(row[0]) for row in rows]
start = time.perf_counter()
for number, first in enumerate(range(0, len(items), page)):
    document = {"contentList": {"_media-type": "x", "content": items[first : first + page]}}
    with open(f"{folder}/limit_{number}", "wb") as out:
        out.write(orjson.dumps(document))
print(len(items) / (time.perf_counter() - start))
"""

SITES = f"""
personalization:
  system:
    site_en:
      languages: [eng-GB]
      host_uri: http://127.0.0.1:{PORT}
      included_item_types: [article]
      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}
      api: {{ notifier: {{ endpoint: "http://127.0.0.1:{PORT}" }} }}
"""


def environment(var: Path) -> dict[str, str]:
    return of_its_own(LODESTAR_VAR_DIR=str(var), LODESTAR_SITES_FILE=str(var / "sites.yaml"))


def prepare(var: Path, *, items: int) -> None:
    """Make the database and fill it with items of about 1 KB."""
    (var / "sites.yaml").write_text(SITES)
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=environment(var), check=True
    )
    database = sqlite3.connect(var / "lodestar.sqlite3")
    [(site_id,)] = database.execute("SELECT id FROM wagtailcore_site WHERE is_default_site").fetchall()
    database.executemany(
        "INSERT INTO content_item (site_id, item_type, item_type_id, content_id, remote_id, language, uri,"
        " category_paths, published_at, is_visible, payload, updated_at)"
        " VALUES (?, 'article', 39, ?, ?, 'eng-GB', ?, '[]', '2026-01-02', 1, ?, '2026-01-02')",
        (
            (site_id, number, f"key-{number}", f"/a/{number}/", payload(number))
            for number in range(1, items + 1)
        ),
    )
    database.commit()
    database.close()


def payload(number: int) -> bytes:
    item = {
        "_media-type": "application/vnd.ibexa.api.Content+json",
        "contentId": number,
        "contentTypeId": 39,
        "identifier": "article",
        "language": "eng-GB",
        "publishedDate": "2026-01-02T03:04:05+00:00",
        "author": "Ana Author",
        "uri": f"/articles/{number}/",
        "categoryPath": f"/1/2/{number % 50}/{number}/",
        "name": f"Article number {number}",
        "body": f"<p>{'A sentence of ordinary length. ' * 20}</p>",
        "tags": ["one", "two", f"tag-{number % 100}"],
    }
    text = json.dumps(item, separators=(",", ":"))
    return text.replace('"name":', f'"fill":"{"x" * (1000 - len(text))}","name":', 1).encode()


@contextmanager
def engine() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", ENGINE], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()


def command(var: Path, *options: str) -> tuple[dict[str, Any], float]:
    """Run the command; return its summary and the peak memory of its process in MB."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_export", "--json", *options],
        cwd=ROOT,
        env=environment(var),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"run_export ended with {process.returncode}")
    summary: dict[str, Any] = json.loads(output)["exports"][0]
    return summary, usage.ru_maxrss / 1024


def limit(var: Path, *, page_size: int) -> float:
    out = subprocess.run(
        [sys.executable, "-c", LIMIT, str(var / "lodestar.sqlite3"), str(var), str(page_size)],
        capture_output=True,
        check=True,
        text=True,
    )
    return float(out.stdout)


def measure(var: Path, *, runs: int) -> list[dict[str, float]]:
    _, idle = command(var, "--dry-run")
    rows = []
    for page_size in PAGE_SIZES:
        rates, peaks, limits = [], [], []
        for _ in range(runs):
            limits.append(limit(var, page_size=page_size))
            summary, peak = command(var, f"--page-size={page_size}")
            rates.append(summary["items"] / summary["seconds"])
            peaks.append(peak - idle)
        rows.append(
            {
                "page size": page_size,
                "items/s": statistics.median(rates),
                "peak MB": statistics.median(peaks),
                "orjson items/s": statistics.median(limits),
                "ratio": statistics.median(rates) / statistics.median(limits),
            }
        )
    return rows


def table(rows: list[dict[str, float]]) -> str:
    names = list(rows[0])
    lines = ["  ".join(f"{name:>14}" for name in names)]
    for row in rows:
        lines.append("  ".join(f"{row[name]:>14,.{2 if name == 'ratio' else 0}f}" for name in names))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=textwrap.shorten(__doc__ or "", 200))
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-export-") as folder, engine():
        var = Path(folder)
        prepare(var, items=options.items)
        rows = measure(var, runs=options.runs)
    print(f"Full export of {options.items:,} items of 1 KB on SQLite, median of {options.runs} runs")  # noqa: T201
    print(table(rows))  # noqa: T201
    # The mark is for pages of 10,000; pages of 500 mostly measure how fast the disk syncs 400 files.
    if rows[0]["items/s"] < MIN_RATE or max(row["peak MB"] for row in rows) > MAX_PEAK_MB:
        raise SystemExit(f"Below the mark of {MIN_RATE:,} items/s and {MAX_PEAK_MB} MB.")


if __name__ == "__main__":
    main()
