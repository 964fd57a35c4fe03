"""The same kinds on Spark: the same texts, the same outcome."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from personalization.server.learning import spark

SPARK = importlib.util.find_spec("pyspark") is not None
ROOT = Path(__file__).resolve().parents[3]
KINDS = {
    "popularity": "click",
    "predictive_popularity": "click",
    "co_occurrence": "click",
    "co_purchase": "buy",
    "ultimately_bought": "buy",
    "similar_rated": "rate",
    "best_rated": "rate",
    "for_you": "click",
}
# In a process of its own, for Spark and Java stay until the end of one.
PROGRAM = """
import json, sys
import numpy as np
from personalization.server.learning import events, registry, spark

kinds, file = json.loads(sys.argv[1]), sys.argv[2]
moved = [((1, "19"), -1, 2**62, (1, "18"))]
owned = [("device", 0, 2**62, "u1")]
for name, signal in kinds.items():
    kind = registry.kind(name)
    parameters = registry.with_defaults(kind, {})
    asked = {"codes": kind.codes(signal, parameters), "window_days": 400.0, "owned": owned, "moved": moved}
    with events.opened([file], **asked) as history:
        here = kind.learn(history, parameters=parameters)
    with spark.opened([file], master="local[2]", **asked) as history:
        there = kind.learn(history, parameters=parameters)
    assert here.keys == there.keys, name
    assert here.events == there.events, name
    np.testing.assert_allclose(there.ranking, here.ranking, rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(there.scores, here.scores, rtol=1e-3, atol=1e-5, err_msg=name)
    same = np.mean(there.neighbours == here.neighbours) if here.neighbours.size else 1.0
    assert same > 0.9, (name, same)  # equal scores may stand in another order
    print(name, here.ranking.shape, here.neighbours.shape)
with spark.opened([file], master="local[2]", codes=["click"], window_days=400.0) as history:
    with history.only("item < 5") as part:
        assert 0 < part.events < history.events
print("parts")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    target = tmp_path / "events.parquet"
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            """
            CREATE TABLE e AS SELECT ['click', 'buy', 'rate', 'click'][(n % 4) + 1] AS event,
              CASE WHEN n % 97 = 0 THEN 'device' ELSE 'u' || (hash(n // 8) % 60)::VARCHAR END AS "user",
              1 AS item_type, ((hash(n // 8) % 5) * 4 + floor(pow(random(), 2) * 4))::INT::VARCHAR AS item_id,
              1700000000000000 + n * 60000000 AS ts, 1 AS quantity, NULL::SMALLINT AS percentage,
              (hash(n) % 101)::SMALLINT AS rating, '' AS segments, '' AS category_path
            FROM range(4000) t(n)
            """
        )
        connection.execute(f"COPY e TO '{target}' (FORMAT parquet)")
    return target


@pytest.mark.skipif(not SPARK, reason="pyspark is missing: `make readers` installs it")
@pytest.mark.skipif(not shutil.which("java"), reason="Java 17 or newer is missing, which Spark needs")
@pytest.mark.timeout(500)
def test_it_learns_on_spark_what_it_learns_on_duckdb(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(KINDS), str(file)],
        cwd=ROOT,
        env=os.environ
        | {"SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert [line.split()[0] for line in done.stdout.splitlines()] == [*KINDS, "parts"]


@pytest.mark.skipif(SPARK, reason="pyspark is installed")
def test_it_says_what_to_install() -> None:
    with pytest.raises(spark.NoSpark, match=r"pip install 'lodestar\[spark\]'"):
        spark.session_of("local[2]")
