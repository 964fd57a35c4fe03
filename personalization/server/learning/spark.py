"""The same history on Apache Spark, for events that one machine no longer takes.

Kinds ask a history for tables, columns and numbers in SQL; their texts run here as they run on DuckDB. What
comes back and is stored is the same. Regressions are spread over the workers (``mapInPandas``).

Spark is not installed with the project: ``pip install 'lodestar[spark]'`` and Java 17 or newer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from personalization.server.learning import events
from personalization.server.learning.events import CONSUME, History, Moved, Owned, amount_of

PIECES = 16  # of a spread calculation, for each core

SEEN = """
SELECT event, {who} AS who, {kind} AS item_type, {item} AS item_id, e.ts AS ts, {amount} AS amount,
       {segments} AS segments, {paths} AS category_path
FROM raw_events e {joins}
WHERE event IN ({codes}) AND item_type IS NOT NULL AND item_id <> '' AND e.ts >= {since}
"""
HELD = "LEFT JOIN held h ON e.`user` = h.source AND e.ts > h.after_ts AND e.ts <= h.until_ts"
MOVED = """
LEFT JOIN moved m ON e.item_type = m.source_type AND e.item_id = m.source_id AND e.ts > m.moved_after
  AND e.ts <= m.moved_until
"""
# As HIGHEST of events.py, which removes the others in place.
HIGHEST = """
SELECT event, who, item_type, item_id, ts, amount, segments, category_path FROM (
  SELECT *, row_number() OVER (
    PARTITION BY event, who, item_type, item_id ORDER BY amount DESC, ts DESC
  ) AS place FROM seen
) WHERE event <> 'consume' OR (amount > 0 AND (who = '' OR place = 1))
"""
ITEMS = """
SELECT CAST(row_number() OVER (ORDER BY item_type, item_id) - 1 AS INT) AS item, item_type AS kept_type,
       item_id AS kept_id
FROM (SELECT DISTINCT item_type, item_id FROM kept)
"""
NUMBERED = """
SELECT event, who, item, ts, amount, segments, category_path
FROM kept JOIN item ON kept.item_type = item.kept_type AND kept.item_id = item.kept_id
"""


class NoSpark(Exception):
    """Spark or Java is missing; the message says what to install."""


@dataclass(frozen=True, kw_only=True)
class SparkHistory(History):
    """A history whose tables are Spark's."""

    is_remote: ClassVar[bool] = True
    session: Any

    def table(self, name: str, select: str) -> None:
        # Kept, for later texts read it more than once.
        self.session.sql(select).persist().createOrReplaceTempView(name)

    def columns(self, select: str) -> dict[str, Any]:
        frame = self.session.sql(select).toPandas()
        return {name: frame[name].to_numpy() for name in frame.columns}

    def number(self, select: str) -> float:
        found = self.session.sql(select).first()
        return 0.0 if found is None or found[0] is None else float(found[0])

    def rows(self, name: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        schema = columns.replace("VARCHAR", "STRING").replace("INTEGER", "INT")
        given = [tuple(value for value in row) for row in rows]
        self.session.createDataFrame(given, schema).createOrReplaceTempView(name)

    @contextmanager
    def only(self, condition: str) -> Iterator[History]:
        whole = self.session.table("history")
        try:
            self.session.sql(f"SELECT * FROM history WHERE {condition}").createOrReplaceTempView("history")  # noqa: S608
            yield replace(self, events=int(self.number("SELECT count(*) FROM history")))
        finally:
            whole.createOrReplaceTempView("history")

    def spread(self, work: Callable[[int, int], NDArray[Any]], rows: int) -> NDArray[Any]:
        """``work(start, stop)`` for all rows, on the workers; the arrays one after the other."""
        cores = self.session.sparkContext.defaultParallelism
        size = max(1, -(-rows // (cores * PIECES)))
        pieces = [(start, min(start + size, rows)) for start in range(0, rows, size)]
        shared = self.session.sparkContext.broadcast(work)

        def solve(frames: Iterable[Any]) -> Iterator[Any]:
            import pandas as pd

            for frame in frames:
                found = [
                    shared.value(int(a), int(b)) for a, b in zip(frame["start"], frame["stop"], strict=True)
                ]
                yield pd.DataFrame(
                    {
                        "start": frame["start"],
                        "shape": [",".join(map(str, one.shape)) for one in found],
                        "kind": [str(one.dtype) for one in found],
                        "values": [np.ascontiguousarray(one).tobytes() for one in found],
                    }
                )

        asked = self.session.createDataFrame(pieces, "start INT, stop INT").repartition(len(pieces))
        schema = "start INT, shape STRING, kind STRING, values BINARY"
        told = sorted(asked.mapInPandas(solve, schema).collect(), key=lambda row: row["start"])
        return np.concatenate(
            [
                np.frombuffer(row["values"], row["kind"]).reshape([int(n) for n in row["shape"].split(",")])
                for row in told
            ]
        )


def session_of(master: str) -> Any:
    """A session at ``master``, such as local[2] or spark://host:7077. Raises :class:`NoSpark`."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise NoSpark(
            "Spark is not installed: pip install 'lodestar[spark]', and Java 17 or newer."
        ) from None
    try:
        return (
            SparkSession.builder.master(master)
            .appName("lodestar")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "8")
            .config("spark.sql.execution.arrow.pyspark.enabled", "true")
            .config("spark.sql.session.timeZone", "UTC")
            .getOrCreate()
        )
    except Exception as fault:
        raise NoSpark(f"Spark does not start at {master}: {str(fault).splitlines()[0][:200]}") from fault


@contextmanager
def opened(
    files: Sequence[Path],
    *,
    codes: Sequence[str],
    window_days: float,
    master: str,
    owned: Iterable[Owned] = (),
    moved: Iterable[Moved] = (),
    with_segments: bool = False,
    with_paths: bool = False,
) -> Iterator[SparkHistory]:
    """As :func:`events.opened`, in a Spark session that is kept for the next one."""
    session = session_of(master)
    listed = ", ".join(f"'{code}'" for code in codes) or "''"
    read(session, files)
    newest = session.sql(f"SELECT max(ts) AS newest FROM raw_events WHERE event IN ({listed})").first()  # noqa: S608
    until = int(newest["newest"] or 0)
    held, moves = list(owned), list(moved)
    if held:
        schema = "source STRING, after_ts BIGINT, until_ts BIGINT, holder STRING"
        session.createDataFrame(held, schema).createOrReplaceTempView("held")
    if moves:
        schema = (
            "source_type INT, source_id STRING, moved_after BIGINT, moved_until BIGINT, target_type INT,"
            " target_id STRING"
        )
        flat = [(*source, after, end, *target) for source, after, end, target in moves]
        session.createDataFrame(flat, schema).createOrReplaceTempView("moved")
    select = SEEN.format(
        who="coalesce(h.holder, e.`user`)" if held else "e.`user`",
        kind="coalesce(m.target_type, e.item_type)" if moves else "e.item_type",
        item="coalesce(m.target_id, e.item_id)" if moves else "e.item_id",
        amount=amount_of(codes),
        segments="segments" if with_segments else "''",
        paths="category_path" if with_paths else "''",
        joins=f"{HELD if held else ''} {MOVED if moves else ''}",
        codes=listed,
        since=until - int(window_days * 86_400 * events.SECOND),
    )
    try:
        yield numbered(session, select, codes=codes, until=until)
    finally:
        session.catalog.clearCache()


def read(session: Any, files: Sequence[Path]) -> None:
    """The lake's files as the view ``raw_events``."""
    if files:
        frame = session.read.option("mergeSchema", "true").parquet(*map(str, files))
    else:
        schema = (
            "event STRING, `user` STRING, item_type INT, item_id STRING, ts BIGINT, quantity INT,"
            " percentage SMALLINT, rating SMALLINT, segments STRING, category_path STRING"
        )
        frame = session.createDataFrame([], schema)
    frame.createOrReplaceTempView("raw_events")


def numbered(session: Any, select: str, *, codes: Sequence[str], until: int) -> SparkHistory:
    session.sql(select).createOrReplaceTempView("seen")
    kept = session.sql(HIGHEST) if CONSUME in codes else session.table("seen")
    kept.persist().createOrReplaceTempView("kept")
    items = session.sql(ITEMS).persist()
    items.createOrReplaceTempView("item")
    history = session.sql(NUMBERED).persist()
    history.createOrReplaceTempView("history")
    keys = [(int(row["kept_type"]), row["kept_id"]) for row in items.orderBy("item").collect()]
    return SparkHistory(
        connection=None,
        keys=keys,
        events=history.count(),
        until=until,
        codes=tuple(codes),
        session=session,
    )
