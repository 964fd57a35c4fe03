"""Events as the learner sees them: one DuckDB table of one customer and the event codes of one model.

The files come from the lake, Parquet with at least the columns ``event``, ``user``, ``item_type``,
``item_id``, ``ts`` (microseconds since 1970, UTC) and ``quantity``; of consumptions also ``percentage``, of
ratings ``rating``, and ``segments`` where a model is divided by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import duckdb

SECOND = 1_000_000
# Of work that is spread over threads: rows of one piece.
THREADS, PIECE = 2, 500
BUY, CONSUME, RATE = "buy", "consume", "rate"
Owned = tuple[str, int, int, str]  # source, after, until, owner
Moved = tuple[tuple[int, str], int, int, tuple[int, str]]  # source, after, until, target

# "user" is a keyword; ts and not at, which DuckDB 2 takes for time travel.
READ = """
CREATE TABLE seen AS
SELECT event, "user" AS who, item_type, item_id, ts, {amount} AS amount, {segments} AS segments,
       {paths} AS category_path
FROM read_parquet(?, union_by_name = true, hive_partitioning = false)
WHERE event IN (SELECT unnest(?)) AND item_type IS NOT NULL AND item_id <> '' AND ts >= ?
"""
NOBODY = """
CREATE TABLE seen(event VARCHAR, who VARCHAR, item_type INTEGER, item_id VARCHAR, ts BIGINT, amount DOUBLE,
                  segments VARCHAR, category_path VARCHAR)
"""
PIECES = "greatest(coalesce(quantity, 1), 1)"
# A consumption weighs what was read of the item (engine-protocol.md 5.3); without a percentage it was all.
# A rating weighs its points.
AMOUNTS = {
    CONSUME: "coalesce(percentage, 100) / 100.0::DOUBLE",
    RATE: "coalesce(rating, 50) / 100.0::DOUBLE",
}
# Pages report 25, 50, 75 %: only the highest counts per user and item, and nothing read is no consumption
# (engine-protocol.md 1.3). Of nobody it is not known who read how much, so each counts.
HIGHEST = """
DELETE FROM seen WHERE event = 'consume' AND (amount = 0 OR rowid IN (
  SELECT rowid FROM seen WHERE who <> '' AND event = 'consume' QUALIFY row_number() OVER (
    PARTITION BY who, item_type, item_id ORDER BY amount DESC, ts DESC, rowid
  ) > 1
))
"""
NEWEST = """
SELECT max(ts) FROM read_parquet(?, union_by_name = true, hive_partitioning = false)
WHERE event IN (SELECT unnest(?))
"""
# Each event matches at most one interval.
RENAME = """
UPDATE seen SET who = held.holder FROM held
WHERE seen.who = held.source AND seen.ts > held.after_ts AND seen.ts <= held.until_ts
"""
# What was known under another id: engine-protocol.md 2.5.
MOVE = """
UPDATE seen SET item_type = moved.target_type, item_id = moved.target_id FROM moved
WHERE seen.item_type = moved.source_type AND seen.item_id = moved.source_id
  AND seen.ts > moved.after_ts AND seen.ts <= moved.until_ts
"""
NUMBER = """
CREATE TABLE item AS
SELECT (row_number() OVER (ORDER BY kept_type, kept_id) - 1)::INTEGER AS item, kept_type, kept_id
FROM (SELECT DISTINCT item_type AS kept_type, item_id AS kept_id FROM seen);
CREATE TABLE history AS
SELECT event, who, item, ts, amount, segments, category_path
FROM seen JOIN item ON seen.item_type = item.kept_type AND seen.item_id = item.kept_id
"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the item store knows of an item: attributes as (key, type, value), texts as (key, text)."""

    key: tuple[int, str]
    attributes: Sequence[tuple[str, str, str]] = ()
    texts: Sequence[tuple[str, str]] = ()
    categories: Sequence[str] = ()
    added: float = 0.0  # seconds since 1970


@dataclass(frozen=True, kw_only=True)
class History:
    """The events of a customer as SQL tables: ``history(event, who, item, ts, amount, segments,
    category_path)``; the last two are empty unless they are asked for.

    ``amount`` is the number of pieces, of a consumption the share that was read, 0.01 to 1, of a rating its
    points, 0 to 1. ``who`` is the pseudonym, "" for events that are linked to nobody; ``item`` is a position
    in ``keys``. ``until`` is the time of the newest event, in microseconds; windows and decay count back from
    it, so that an imported history of past years is learnt like a fresh one.

    ``items`` and ``people`` (pseudonym -> "key=value") are filled for the kinds that read them.
    """

    connection: Any  # of DuckDB; learning/spark.py has another kind of history
    keys: list[tuple[int, str]]
    events: int
    until: int
    codes: tuple[str, ...] = ()  # as they were asked for
    items: Sequence[Facts] = ()
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # By submodel the row numbers of its items; lists of neighbours keep some of each.
    groups: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)

    is_remote: ClassVar[bool] = False  # whether other machines may do a part of the work

    def table(self, name: str, select: str) -> None:
        """Keep what ``select`` finds under a name that later texts can use."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")

    def rows(self, name: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        """Keep rows of Python values as a table. ``columns``: their names and SQL types."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name}({columns})")
        if rows:
            names = [one.split()[0] for one in columns.split(", ")]
            arrays = {
                one: np.array(values) for one, values in zip(names, zip(*rows, strict=True), strict=True)
            }
            self.connection.register("given_rows", arrays)
            taken = ", ".join(names)
            self.connection.execute(f"INSERT INTO {name} SELECT {taken} FROM given_rows")  # noqa: S608
            self.connection.unregister("given_rows")

    def columns(self, select: str) -> dict[str, Any]:
        """What ``select`` finds, one array for each of its columns."""
        return dict(self.connection.execute(select).fetchnumpy())

    def number(self, select: str) -> float:
        """The one number that ``select`` finds; 0 where there is none."""
        found = self.connection.execute(select).fetchone()
        return 0.0 if found is None or found[0] is None else float(found[0])

    def spread(self, work: Callable[[int, int], NDArray[Any]], rows: int) -> NDArray[Any]:
        """``work(start, stop)`` for all rows, in threads; the arrays one after the other."""
        pieces = [(start, min(start + PIECE, rows)) for start in range(0, rows, PIECE)]
        with ThreadPoolExecutor(THREADS) as pool:
            return np.concatenate(list(pool.map(lambda piece: work(*piece), pieces)))

    @contextmanager
    def only(self, condition: str) -> Iterator[History]:
        """The part of the events that an SQL condition picks; items keep their numbers."""
        run = self.connection.execute
        run("ALTER TABLE history RENAME TO whole_history")
        try:
            run(f"CREATE TABLE history AS SELECT * FROM whole_history WHERE {condition}")  # noqa: S608
            yield replace(self, events=int(self.number("SELECT count(*) FROM history")))
        finally:
            run("DROP TABLE IF EXISTS history")
            run("ALTER TABLE whole_history RENAME TO history")


@contextmanager
def opened(
    files: Sequence[Path],
    *,
    codes: Sequence[str],
    window_days: float,
    owned: Iterable[Owned] = (),
    moved: Iterable[Moved] = (),
    with_segments: bool = False,
    with_paths: bool = False,
    memory: str = "2GB",
) -> Iterator[History]:
    """Read the events with these codes, at most ``window_days`` older than the newest of them.

    ``owned``: events of source with after < ts <= until belong to the owner, as logins told.
    ``moved``: events of the source with after < ts <= until count for the target.
    """
    import duckdb  # here, because web processes and collectors import this module and never learn

    with TemporaryDirectory(prefix="lodestar-learn-") as spill, duckdb.connect() as connection:
        configure(connection, spill=spill, memory=memory)
        names = [str(file) for file in files]
        until = newest(connection, names, codes)
        since = until - int(window_days * 86_400 * SECOND)
        if names:
            read = READ.format(
                amount=amount_of(codes),
                segments="segments" if with_segments else "''",
                paths="category_path" if with_paths else "''",
            )
            connection.execute(read, [names, list(codes), since])
        else:
            connection.execute(NOBODY)
        apply_ownership(connection, list(owned))
        apply_moves(connection, list(moved))
        if CONSUME in codes:
            connection.execute(HIGHEST)
        for statement in NUMBER.split(";"):
            connection.execute(statement)
        keys = connection.execute("SELECT kept_type, kept_id FROM item ORDER BY item").fetchall()
        events = connection.execute("SELECT count(*) FROM history").fetchone()
        yield History(
            connection=connection,
            keys=keys,
            events=events[0] if events else 0,
            until=until,
            codes=tuple(codes),
        )


def amount_of(codes: Sequence[str]) -> str:
    """How much an event of these codes counts, as SQL; columns of other codes may be missing."""
    special = [f"WHEN event = '{code}' THEN {AMOUNTS[code]}" for code in codes if code in AMOUNTS]
    return f"CASE {' '.join(special)} ELSE {PIECES} END" if special else PIECES


def configure(connection: duckdb.DuckDBPyConnection, *, spill: str, memory: str) -> None:
    """Keep within the machine and off the network."""
    connection.execute("SET threads = 2")
    connection.execute(f"SET memory_limit = '{memory}'")
    connection.execute(f"SET temp_directory = '{spill}'")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET enable_progress_bar = false")


def newest(connection: duckdb.DuckDBPyConnection, names: list[str], codes: Sequence[str]) -> int:
    if not names:
        return 0
    found = connection.execute(
        NEWEST,
        [names, list(codes)],
    ).fetchone()
    return found[0] if found and found[0] is not None else 0


def apply_ownership(connection: duckdb.DuckDBPyConnection, owned: list[Owned]) -> None:
    if not owned:
        return
    connection.execute("CREATE TABLE held(source VARCHAR, after_ts BIGINT, until_ts BIGINT, holder VARCHAR)")
    connection.executemany("INSERT INTO held VALUES (?, ?, ?, ?)", owned)
    connection.execute(RENAME)


def apply_moves(connection: duckdb.DuckDBPyConnection, moved: list[Moved]) -> None:
    if not moved:
        return
    connection.execute(
        "CREATE TABLE moved(source_type INTEGER, source_id VARCHAR, after_ts BIGINT, until_ts BIGINT,"
        " target_type INTEGER, target_id VARCHAR)"
    )
    connection.executemany(
        "INSERT INTO moved VALUES (?, ?, ?, ?, ?, ?)",
        [[*source, after, until, *target] for source, after, until, target in moved],
    )
    connection.execute(MOVE)
