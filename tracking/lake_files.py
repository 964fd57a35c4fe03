"""Where the files of the lake are: Django's storage ``lake``, a folder or a bucket.

Names are those below the root of the storage, ``customer=<id>/...``. DuckDB reads and writes local files:
those of the folder itself; for a bucket, copies below ``settings.LAKE_CACHE``. No name of a part is used
twice, so a copy never gets stale; copies of what no manifest names any more go with the next look at it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages

from config.files import sync

FETCHED = ".get-"  # a copy on its way, removed by the sweep where its process was killed


class Written(File):  # type: ignore[type-arg]
    """A local file that a folder may take as it is."""

    def __init__(self, path: Path, handle: Any) -> None:
        super().__init__(handle, name=path.name)
        self.path = path

    def temporary_file_path(self) -> str:
        return str(self.path)


def storage() -> Storage:
    return storages["lake"]


def in_folder() -> bool:
    return isinstance(storage(), FileSystemStorage)


def desk() -> Path:
    """The local folder below which parts are written and read."""
    root: Path = settings.LAKE_ROOT if in_folder() else settings.LAKE_CACHE
    return root


def address() -> str:
    """Where the lake is, for people."""
    if in_folder():
        return str(settings.LAKE_ROOT)
    there: Any = storage()
    return f"s3://{there.bucket_name}/{there.location}".rstrip("/")


def put(path: Path, name: str) -> None:
    """Store a local file, which goes; it is in its place when this returns."""
    with path.open("rb") as handle:
        storage().save(name, Written(path, handle))
    if path.exists():
        target = desk() / name
        target.parent.mkdir(parents=True, exist_ok=True)
        sync(path)
        path.replace(target)


def put_text(text: str, name: str) -> None:
    """Store a text, in place of an older one of that name."""
    storage().save(name, ContentFile(text.encode()))


def read_text(name: str) -> str:
    """Raises FileNotFoundError; for a bucket that is not there its own error."""
    try:
        with storage().open(name) as handle:
            content: bytes = handle.read()
    except FileNotFoundError:
        if not in_folder():
            storage().listdir("")  # A missing bucket answers the same as a missing file.
        raise
    return content.decode()


def remove(name: str) -> None:
    storage().delete(name)
    (desk() / name).unlink(missing_ok=True)


def local(name: str) -> Path:
    """A local file with the content of ``name``. Raises FileNotFoundError."""
    path = desk() / name
    if in_folder() or path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parents[1] / f"{FETCHED}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        with storage().open(name) as source, temporary.open("wb") as target:
            shutil.copyfileobj(source, target)
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def again(name: str) -> Path:
    """As :func:`local`, for a file that is damaged: a bucket's is fetched anew, it may be the copy alone."""
    if not in_folder():
        (desk() / name).unlink(missing_ok=True)
    return local(name)


def copies(folder: str) -> list[Path]:
    """Local copies of a customer's parts; none where the parts themselves are local.

    To be asked for before the manifest is: a copy that comes later belongs to a manifest that comes later.
    """
    return [] if in_folder() else list((desk() / folder).glob("day=*/*.parquet"))


def forget(found: Iterable[Path], folder: str, *, named: Collection[str]) -> None:
    """Remove those copies that are not among ``named`` (relative to the customer's folder)."""
    for path in found:
        if path.relative_to(desk() / folder).as_posix() not in named:
            path.unlink(missing_ok=True)


def children(folder: str) -> tuple[list[str], list[str]]:
    """Names of the folders and of the files in ``folder``; none where it is missing."""
    with suppress(FileNotFoundError, NotADirectoryError):
        folders, files = storage().listdir(folder)
        return sorted(folders), sorted(files)
    return [], []
