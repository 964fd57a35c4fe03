"""Bringing the files of the lake into the form of today: each is written anew, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np

from tracking import identity, lake_rewrite
from tracking.lake_faults import reaching
from tracking.parts import folder_of, open_duck, parquet, read_manifest, sound, write_days

LOST = "The lake was not re-keyed"


def outdated_rows(customer_id: str) -> dict[str, int]:
    """How many rows of each part that counts are of an older generation; parts without any are left out.

    Raises :class:`~config.faults.Fault`.
    """
    folder = folder_of(customer_id)
    with reaching(lost=LOST):
        paths = sound(folder, read_manifest(folder).files)
        return lake_rewrite.rows_in(folder, paths, lake_rewrite.Change(drop=in_sql()))


def in_sql() -> str:
    low, high = identity.outdated()
    return f"\"user\" >= '{low}' AND \"user\" < '{high}'"


def rekey(customer_id: str) -> Iterator[int]:
    """Write one file after the other anew. The lock is let go of after each, so that others can write too.

    The file before stays for a while, for readers that have looked into the manifest already. Raises
    :class:`~tracking.lake_rewrite.LakeBusy` and :class:`~config.faults.Fault`; what was done stays done.
    """
    for name in outdated_rows(customer_id):
        with lake_rewrite.locked(), reaching(lost=LOST):
            yield replace_part(customer_id, name)


def replace_part(customer_id: str, name: str) -> int:
    """Return how many rows were re-keyed; 0 where a merge has taken the file away meanwhile."""
    folder = folder_of(customer_id)
    manifest = read_manifest(folder)
    if name not in manifest.files:
        return 0
    with lake_rewrite.replacing(folder, name, manifest) as new:
        return write_renewed(customer_id, name, new=new)


def write_renewed(customer_id: str, name: str, *, new: list[str]) -> int:
    folder, day = folder_of(customer_id), name.partition("/")[0].removeprefix("day=")
    part = parquet(sound(folder, [name]))
    counts = f'SELECT "user", count(*) FROM {part} WHERE {in_sql()} GROUP BY "user"'  # noqa: S608
    source = f"""
        SELECT part.* EXCLUDE (filename) REPLACE (coalesce(renewed.form, part."user") AS "user"),
            '{day}' AS day
        FROM {part} AS part LEFT JOIN renewed ON part."user" = renewed.old ORDER BY ts, id
    """  # noqa: S608 - names of our own files
    with closing(open_duck()) as duck:
        found = dict(duck.sql(counts).fetchall())
        forms = {old: identity.newest(customer_id, old) for old in found}
        columns = {"old": list(forms), "form": list(forms.values())}
        duck.register("renewed", {name: np.array(texts, dtype=object) for name, texts in columns.items()})
        write_days(duck, source, folder, f"rekeyed-{time.time_ns()}", new=new)
    return sum(found.values())
