"""Learning from 10 million events, and beside `implicit` on the same data.

``python -m tests.benchmarks learning``. The first part makes 10 million synthetic clicks (a million people,
100,000 items whose popularity falls by a power law, interests in one of 2,000 groups), and builds each kind
of model in a process of its own: CPU-seconds of all threads, wall time and peak memory. Goal: also clicked
within 100 CPU-seconds and 5 GB. The second part compares `evaluate topn` with BM25 and ALS of `implicit`
(``pip install implicit``; left out where it is missing) on ml-1m and yelp2018.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

EVENTS = int(os.environ.get("BENCH_EVENTS", "10000000"))
ITEMS, GROUPS = 100_000, 2_000
GOAL_SECONDS, GOAL_MB = 100.0, 5_000.0
KINDS = ("co_occurrence", "popularity", "predictive_popularity", "visits", "for_you")
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SETS = ("ml-1m", "yelp2018")
K = 20
COLUMNS = ("user", "item")
WRITE = """
COPY (
  SELECT 'click' AS event, 'u' || (hash(n // 10) % {users})::VARCHAR AS "user", 1 AS item_type,
         (((hash(n // 10) % {groups}) * {each}
           + floor(pow(random(), 3) * {each}) + CASE WHEN random() < 0.3
             THEN floor(pow(random(), 4) * {items}) ELSE 0 END)::BIGINT % {items} + 1)::VARCHAR AS item_id,
         1700000000000000 + n * 100000 + (random() * 1e10)::BIGINT AS ts, NULL::INTEGER AS quantity
  FROM range({events}) t(n)
) TO '{target}' (FORMAT parquet)
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="lodestar-bench-") as folder:
        target = Path(folder) / "events.parquet"
        write(target)
        missed = report_builds(target)
    report_beside_implicit()
    return missed


def write(target: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            WRITE.format(
                users=EVENTS // 10,
                groups=GROUPS,
                each=ITEMS // GROUPS,
                items=ITEMS,
                events=EVENTS,
                target=target,
            )
        )


def report_builds(target: Path) -> int:
    sys.stdout.write(f"{EVENTS:,} events\n{'':26}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}{'items':>9}\n")
    missed = 0
    for kind in KINDS:
        found = child("build", kind, str(target))
        late = kind == KINDS[0] and (found["cpu"] > GOAL_SECONDS or found["peak"] > GOAL_MB)
        missed |= late
        sys.stdout.write(
            f"  {kind:<24}{found['cpu']:>8.1f}{found['wall']:>8.1f}{found['peak']:>9.0f}{found['items']:>9,}"
            f"{'   MISSED' if late else ''}\n"
        )
        sys.stdout.flush()
    found = child("again", KINDS[0], str(target))
    sys.stdout.write(
        f"  {'same, 1,000 events later':<24}{found['cpu']:>8.1f}{found['wall']:>8.1f}{found['peak']:>9.0f}"
        f"{found['items']:>9,}\n"
    )
    return int(missed)


def child(part: str, *arguments: str) -> dict[str, Any]:
    """One part in a process of its own, whose memory and time are its own."""
    code = f"from tests.benchmarks import bench_learning as b; b.run_part({part!r}, {list(arguments)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_part(part: str, arguments: list[str]) -> None:
    begun = time.perf_counter()
    found = {"build": build, "again": again, "implicit": implicit}[part](*arguments)
    used = resource.getrusage(resource.RUSAGE_SELF)
    found |= {"peak": used.ru_maxrss * 1024 / 1e6}
    found.setdefault("wall", time.perf_counter() - begun)
    found.setdefault("cpu", used.ru_utime + used.ru_stime)
    sys.stdout.write(json.dumps(found))


def build(name: str, target: str) -> dict[str, Any]:
    """What a build does after archiving: read the files, learn."""
    from personalization.server.learning import events, registry

    kind = registry.kind(name)
    parameters = registry.with_defaults(kind, {"window_days": 3650.0})
    with events.opened([Path(target)], codes=["click"], window_days=3650.0) as history:
        learned = kind.learn(history, parameters=parameters)
    return {"items": len(learned.keys)}


def again(name: str, target: str) -> dict[str, Any]:
    """What a refresh does after archiving, with 100 people more who looked at ten of 500 items each."""
    import duckdb

    from personalization.server.learning import events, registry

    kind = registry.kind(name)
    parameters = registry.with_defaults(kind, {"window_days": 3650.0})
    files = [Path(target), Path(target).with_name("later.parquet")]
    with events.opened(files[:1], codes=["click"], window_days=3650.0) as history:
        known, since = kind.learn(history, parameters=parameters), history.until
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'click' AS event, 'new' || (n // 10)::VARCHAR AS \"user\", 1 AS item_type,"  # noqa: S608
            f" (n * 7 % 500 + 1)::VARCHAR AS item_id, {since} + n + 1 AS ts, NULL::INTEGER AS quantity"
            f" FROM range(1000) t(n)) TO '{files[1]}' (FORMAT parquet)"
        )
    begun, used = time.perf_counter(), time.process_time()
    with events.opened(files, codes=["click"], window_days=3650.0) as history:
        found = kind.relearn(history, parameters=parameters, known=known, since=since, most=20_000)
    return {
        "items": len(found.keys) if found else 0,
        "cpu": time.process_time() - used,
        "wall": time.perf_counter() - begun,
    }


def report_beside_implicit() -> None:
    if not DATA.exists():
        sys.stdout.write("left out: the comparison, for its data are not there\n")
        return
    sys.stdout.write(f"{'':34}{'recall@20':>10}{'ndcg@20':>9}{'train CPU s':>12}{'peak MB':>9}\n")
    for name in SETS:
        for label, found in compared(DATA / name):
            sys.stdout.write(
                f"  {name:<10}{label:<22}{found['recall']:>10.4f}{found['ndcg']:>9.4f}{found['cpu']:>12.1f}"
                f"{found['peak']:>9.0f}\n"
            )
            sys.stdout.flush()


def compared(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    rows = [("lodestar, defaults", ours(folder, "--no-tuning")), ("lodestar, chosen", ours(folder))]
    if importlib.util.find_spec("implicit") is None:
        sys.stdout.write("left out: implicit is not installed (pip install implicit)\n")
        return rows
    return [
        *rows,
        ("implicit BM25 K=100", child("implicit", str(folder), "bm25")),
        ("implicit cosine K=100", child("implicit", str(folder), "cosine")),
        ("implicit ALS f=64", child("implicit", str(folder), "als")),
    ]


def ours(folder: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "manage.py", "evaluate", "topn", "--train", str(folder / "train.parquet")]
    command += ["--test", str(folder / "test.parquet"), "--k", str(K), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    figures = told["figures"]
    return {
        "recall": figures["recall"],
        "ndcg": figures["ndcg"],
        "cpu": told["training_cpu_seconds"],
        "peak": told["peak_megabytes"],
    }


def implicit(folder: str, model: str) -> dict[str, Any]:
    """A model of `implicit` with its defaults, 64 factors and 15 iterations for ALS as in its examples."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import numpy as np
    from implicit.als import AlternatingLeastSquares  # type: ignore[import-not-found]
    from implicit.nearest_neighbours import (  # type: ignore[import-not-found]
        BM25Recommender,
        CosineRecommender,
    )
    from scipy import sparse

    from personalization.server.evaluation import metrics, tables

    train, test = (
        tables.read(Path(folder) / f"{part}.parquet", ("user", "item")) for part in ("train", "test")
    )
    users, (rows, asked) = tables.numbered(train["user"], test["user"])
    items, (columns, wanted) = tables.numbered(train["item"], test["item"])
    shape = (len(users), len(items))
    matrix = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    kinds = {
        "bm25": lambda: BM25Recommender(K=100, num_threads=2),
        "cosine": lambda: CosineRecommender(K=100, num_threads=2),
        "als": lambda: AlternatingLeastSquares(factors=64, iterations=15, num_threads=2, random_state=1),
    }
    found = kinds[model]()
    begun = time.process_time()
    found.fit(matrix, show_progress=False)
    cpu = time.process_time() - begun
    whom = np.unique(asked)
    lists, _scores = found.recommend(whom, matrix[whom], N=K, filter_already_liked_items=True)
    truth = sparse.csr_matrix((np.ones(len(asked), np.float32), (asked, wanted)), shape=shape)[whom]
    figures = metrics.of_lists(np.asarray(lists, np.int32), truth)
    return {"recall": figures["recall"], "ndcg": figures["ndcg"], "cpu": cpu}
