"""The lake as a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from tracking import lake, lake_rewrite
from tracking.lake_rewrite import Change, quoted
from tracking.parts import open_duck, parquet
from tracking.people.spans import Span
from tracking.rotation import rekey_parts

ROWS = 1_000


class Lake:
    name = "lake"

    def find(self, spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
        for customer_id, condition in by_customer(spans).items():
            if files := lake.files(customer_id):
                part = parquet(files)
                yield from rows(f"SELECT * EXCLUDE (filename) FROM {part} WHERE {condition}")  # noqa: S608

    def outdated(self, customer_id: str) -> int:
        return sum(rekey_parts.outdated_rows(customer_id).values())

    def rekey(self, customer_id: str) -> Iterator[int]:
        """Raises :class:`~tracking.lake_rewrite.LakeBusy`, and Fault when the disk is full."""
        yield from rekey_parts.rekey(customer_id)

    def erase(self, spans: Sequence[Span], *, at: int) -> int:
        """Raises :class:`~tracking.lake_rewrite.LakeBusy`, and Fault for a full disk or an absent bucket."""
        erased = 0
        with lake_rewrite.locked():
            for customer_id, condition in by_customer(spans).items():
                change = Change(
                    drop=f"({condition}) AND received <= {at}",
                    unlink=f"({condition}) AND received > {at} AND ts <= {at}",
                )
                erased += lake_rewrite.rewrite(customer_id, change, at_once=True)
        return erased


def by_customer(spans: Sequence[Span]) -> dict[str, str]:
    """For each customer the condition that finds the rows of the spans."""
    found: dict[str, list[str]] = {}
    for span in spans:
        condition = f'"user" = {quoted(span.user)} AND ts > {span.after} AND ts <= {span.until}'
        found.setdefault(span.customer_id, []).append(f"({condition})")
    return {customer_id: " OR ".join(conditions) for customer_id, conditions in found.items()}


def rows(sql: str) -> Iterator[dict[str, Any]]:
    with closing(open_duck()) as duck:
        result = duck.execute(f"{sql} ORDER BY ts, id")
        names = [column[0] for column in result.description or ()]
        while part := result.fetchmany(ROWS):
            yield from (dict(zip(names, row, strict=True)) for row in part)
