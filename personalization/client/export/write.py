"""Stored payloads to chunk files, as bytes that are never decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from config.jobs.models import Job, JobChunk, State
from content.items import queries
from content.items.legacy import with_strings
from content.items.payload import with_remote_id
from personalization import contracts
from personalization.client.bodies import AS_STORED, Shape, shaped
from personalization.client.errors import ExportFailed
from personalization.client.export.batch import Batch
from personalization.client.export.files import HashingFile, WrittenFile
from personalization.client.export.selection import Group

HEAD = b'{"contentList":{"_media-type":"%s","content":[' % contracts.CONTENTLIST_MEDIA_TYPE.encode()
TAIL = b"]}}"
BATCH = 1000  # payloads joined at once: large enough for speed, about 1 MB of memory


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """One complete file of an export. ``site_id`` and ``content_id`` name the last item in it."""

    type: str
    language: str
    page: int
    items: int
    name: str
    size: int
    sha256: str
    site_id: int
    content_id: int


@dataclass
class Place:
    """Where the reading stands: the last row that was taken."""

    site_id: int = 0
    content_id: int = 0


def written_chunks(job: Job) -> list[Chunk]:
    """The files that an earlier, interrupted run of this job completed."""
    return [Chunk(**row.result) for row in JobChunk.objects.filter(job=job, state=State.DONE)]


def store_chunks(job: Job, chunks: list[Chunk], *, first: int) -> None:
    """Remember complete files, numbered from ``first``."""
    JobChunk.objects.bulk_create(
        JobChunk(job=job, number=number, state=State.DONE, result=vars(chunk))
        for number, chunk in enumerate(chunks, first)
    )


def write_group(
    folder: Path,
    group: Group,
    *,
    done: list[Chunk],
    page_size: int,
    remote_ids: bool,
    shape: Shape = AS_STORED,
    legacy_strings: bool = False,
) -> Iterator[list[Chunk]]:
    """Write the files of a group that are not in ``done`` yet; yield those that became complete together."""
    place = Place(done[-1].site_id, done[-1].content_id) if done else Place()
    pieces = pieces_of(group, place=place, page_size=page_size, remote_ids=remote_ids)
    piece = next(pieces, None)
    page = len(done)
    waiting: list[Chunk] = []
    with Batch(folder) as batch:
        while piece:
            page += 1
            items = 0
            try:
                with batch.file(f"{group.name}_{page}") as out:
                    out.write(HEAD)
                    while piece and items < page_size:
                        bodies = shaped(piece, shape=shape)
                        if legacy_strings:
                            bodies = [with_strings(body) for body in bodies]
                        items += write_piece(out, bodies, first=items == 0)
                        last = Place(place.site_id, place.content_id)
                        piece = next(pieces, None)
                    out.write(TAIL)
            except ExportFailed:
                if waiting:  # complete files need not be written again by the next attempt
                    batch.publish()
                    yield waiting
                raise
            waiting.append(chunk_of(group, out.described(), page=page, items=items, last=last))
            if batch.is_full() or not piece:
                batch.publish()
                yield waiting
                waiting = []


def chunk_of(group: Group, file: WrittenFile, *, page: int, items: int, last: Place) -> Chunk:
    return Chunk(
        type=group.item_type.identifier,
        language=group.language,
        page=page,
        items=items,
        site_id=last.site_id,
        content_id=last.content_id,
        **vars(file),
    )


def write_piece(out: HashingFile, piece: list[bytes], *, first: bool) -> int:
    if not first:
        out.write(b",")
    out.write(b",".join(piece))
    return len(piece)


def pieces_of(group: Group, *, place: Place, page_size: int, remote_ids: bool) -> Iterator[list[bytes]]:
    """Yield payloads in lists that never cross the end of a page; ``place`` follows the last one."""
    rows = rows_of(group, place=place, remote_ids=remote_ids)
    in_page = 0
    while batch := list(islice(rows, min(BATCH, page_size - in_page))):
        in_page = (in_page + len(batch)) % page_size
        yield batch


def rows_of(group: Group, *, place: Place, remote_ids: bool) -> Iterator[bytes]:
    """Yield the payloads of a group, one site after the other, behind ``place``."""
    start = Place(place.site_id, place.content_id)
    remaining = list(group.site_ids)
    if start.site_id in remaining:
        remaining = remaining[remaining.index(start.site_id) :]
    for site_id in remaining:
        place.site_id = site_id
        after = start.content_id if site_id == start.site_id else 0
        stream = queries.stream_payloads(
            site_id=site_id,
            item_type=group.item_type.identifier,
            language=group.language,
            after=after,
            subtree=group.subtree,
        )
        for row in stream:
            place.content_id = row.content_id
            if remote_ids:
                yield with_remote_id(row.payload, content_id=row.content_id, remote_id=row.remote_id)
            else:
                yield row.payload
