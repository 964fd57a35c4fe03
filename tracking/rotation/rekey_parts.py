"""Bringing the files of the lake into the form of today: each is written anew, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from django.conf import settings

from config.faults import writing_to
from tracking import identity, lake_rewrite
from tracking.parts import all_or_none, folder_of, open_duck, read_manifest, write_days, write_manifest


def outdated_rows(customer_id: str) -> dict[Path, int]:
    """How many rows of each file that counts are of an older generation; files without any are left out."""
    folder = folder_of(customer_id)
    paths = [folder / name for name in read_manifest(folder).files]
    return lake_rewrite.rows_in(paths, lake_rewrite.Change(drop=in_sql()))


def in_sql() -> str:
    low, high = identity.outdated()
    return f"\"user\" >= '{low}' AND \"user\" < '{high}'"


def rekey(customer_id: str) -> Iterator[int]:
    """Write one file after the other anew. The lock is let go of after each, so that others can write too.

    The file before stays for a while, for readers that have looked into the manifest already. Raises
    :class:`~tracking.lake_rewrite.LakeBusy` and :class:`~config.faults.Fault`; what was done stays done.
    """
    for path in outdated_rows(customer_id):
        with lake_rewrite.locked(), writing_to(settings.LAKE_ROOT, lost="The lake was not re-keyed"):
            yield replace_part(customer_id, path)


def replace_part(customer_id: str, path: Path) -> int:
    """Return how many rows were re-keyed; 0 where a merge has taken the file away meanwhile."""
    folder = folder_of(customer_id)
    manifest, name = read_manifest(folder), str(path.relative_to(folder))
    if name not in manifest.files:
        return 0
    with all_or_none(folder) as new:
        rows = write_renewed(customer_id, path, new=new)
        manifest.files = [one for one in manifest.files if one != name] + new
        manifest.retired[name] = time.time()
        write_manifest(folder, manifest)
    return rows


def write_renewed(customer_id: str, path: Path, *, new: list[str]) -> int:
    part, day = lake_rewrite.parquet([path]), path.parent.name.removeprefix("day=")
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
        write_days(duck, source, folder_of(customer_id), f"rekeyed-{time.time_ns()}", new=new)
    return sum(found.values())
