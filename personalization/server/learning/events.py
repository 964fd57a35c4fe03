"""Events as the learner sees them: one DuckDB table of one customer and one event code.

The files come from the lake, Parquet with at least the columns ``event``, ``user``, ``item_type``,
``item_id``, ``ts`` (microseconds since 1970, UTC) and ``quantity``; of consumptions also ``percentage``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SECOND = 1_000_000
CONSUME = "consume"
Owned = tuple[str, int, int, str]  # source, after, until, owner

# "user" is a keyword; ts and not at, which DuckDB 2 takes for time travel.
READ = """
CREATE TABLE seen AS
SELECT "user" AS who, item_type, item_id, ts, {amount} AS amount
FROM read_parquet(?, union_by_name = true, hive_partitioning = false)
WHERE event IN (SELECT unnest(?)) AND item_type IS NOT NULL AND item_id <> '' AND ts >= ?
"""
PIECES = "greatest(coalesce(quantity, 1), 1)"
# A consumption weighs what was read of the item (engine-protocol.md 5.3); without a percentage it was all.
CONSUMED = "coalesce(percentage, 100) / 100.0::DOUBLE"
# Pages report 25, 50, 75 %: only the highest counts per user and item, and nothing read is no consumption
# (engine-protocol.md 1.3). Of nobody it is not known who read how much, so each counts.
HIGHEST = """
DELETE FROM seen WHERE amount = 0 OR rowid IN (
  SELECT rowid FROM seen WHERE who <> '' QUALIFY row_number() OVER (
    PARTITION BY who, item_type, item_id ORDER BY amount DESC, ts DESC, rowid
  ) > 1
)
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
NUMBER = """
CREATE TABLE item AS
SELECT (row_number() OVER (ORDER BY kept_type, kept_id) - 1)::INTEGER AS item, kept_type, kept_id
FROM (SELECT DISTINCT item_type AS kept_type, item_id AS kept_id FROM seen);
CREATE TABLE history AS
SELECT who, item, ts, amount
FROM seen JOIN item ON seen.item_type = item.kept_type AND seen.item_id = item.kept_id
"""


@dataclass(frozen=True, kw_only=True)
class History:
    """An open DuckDB connection with the tables ``history(who, item, ts, amount)`` and ``item``.

    ``amount`` is the number of pieces, of a consumption the share that was read, 0.01 to 1.
    ``who`` is the pseudonym, "" for events that are linked to nobody; ``item`` is a position in ``keys``.
    ``until`` is the time of the newest event, in microseconds; windows and decay count back from it, so that
    an imported history of past years is learnt like a fresh one.
    """

    connection: duckdb.DuckDBPyConnection
    keys: list[tuple[int, str]]
    events: int
    until: int


@contextmanager
def opened(
    files: Sequence[Path],
    *,
    codes: Sequence[str],
    window_days: float,
    owned: Iterable[Owned] = (),
    memory: str = "2GB",
) -> Iterator[History]:
    """Read the events with these codes, at most ``window_days`` older than the newest of them.

    Consumptions are read by themselves: their amount is another one.
    ``owned``: events of source with after < ts <= until belong to the owner, as logins told.
    """
    import duckdb  # here, because web processes and collectors import this module and never learn

    with TemporaryDirectory(prefix="lodestar-learn-") as spill, duckdb.connect() as connection:
        configure(connection, spill=spill, memory=memory)
        names = [str(file) for file in files]
        until = newest(connection, names, codes)
        since = until - int(window_days * 86_400 * SECOND)
        if names:
            amount = CONSUMED if CONSUME in codes else PIECES
            connection.execute(READ.format(amount=amount), [names, list(codes), since])
        else:
            connection.execute(
                "CREATE TABLE seen(who VARCHAR, item_type INTEGER, item_id VARCHAR, ts BIGINT, amount BIGINT)"
            )
        apply_ownership(connection, list(owned))
        if CONSUME in codes:
            connection.execute(HIGHEST)
        for statement in NUMBER.split(";"):
            connection.execute(statement)
        keys = connection.execute("SELECT kept_type, kept_id FROM item ORDER BY item").fetchall()
        events = connection.execute("SELECT count(*) FROM history").fetchone()
        yield History(connection=connection, keys=keys, events=events[0] if events else 0, until=until)


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
