"""What the two groups of an A/B test did, whether they saw a recommendation or not."""

from __future__ import annotations

from dataclasses import dataclass

from personalization.server.models import ScenarioTest
from personalization.server.statistics.spans import Span
from personalization.server.statistics.traffic import SECOND
from tracking import lake

# The draw of significance.takes_b, so that the people of a group need not be written down anywhere. By who
# asked: whoever logs in may change the group, and what was done before stays where it was done.
READ = """
SELECT ('0x' || substr(sha256(? || ':' || "user"), 1, 16))::UBIGINT::DOUBLE / 18446744073709551616 < ? / 100.0
       AS takes_b, count(DISTINCT "user") AS users, count(*) FILTER (WHERE event = 'consume') AS consumed
FROM read_parquet(?, union_by_name = true, hive_partitioning = false)
WHERE ts >= ? AND ts < ? AND "user" <> '' GROUP BY takes_b
"""


@dataclass(frozen=True, kw_only=True)
class Group:
    """``users``: who did anything. ``consumed``: their consume events."""

    users: int = 0
    consumed: int = 0


def read(test: ScenarioTest, span: Span) -> tuple[Group, Group]:
    """The groups of A and of B within the range."""
    import duckdb  # here: web processes that show no statistics never need it

    lake.archive()
    files = [str(file) for file in lake.files(test.customer_id)]
    if not files:
        return Group(), Group()
    begin, end = (int(one.timestamp() * SECOND) for one in (span.begin, span.end))
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        rows = connection.execute(READ, [str(test.pk), test.share_b, files, begin, end]).fetchall()
    found = {takes_b: Group(users=users, consumed=consumed) for takes_b, users, consumed in rows}
    return found.get(False, Group()), found.get(True, Group())
