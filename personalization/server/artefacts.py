"""What a build learned, as files: written once, memory-mapped by every process, switched atomically.

``models/<customer>/<model>/<version>/`` holds arrays, keys and a manifest with checksums; the file
``current`` beside it names the version that serves. A folder appears by rename when it is complete; readers
look at ``current`` at most once a second and keep what they have when the new one is damaged.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4
from weakref import WeakValueDictionary

import numpy as np
import orjson
from django.conf import settings
from numpy.typing import NDArray

from config.faults import writing_to
from config.files import hold, sync
from personalization.server.learning.base import Float32, Int32, Learned

logger = logging.getLogger("personalization")

SCHEMA = 2
READ_SCHEMAS = {1, 2}  # 1 had no parts, groups, sources and further arrays
KEPT_VERSIONS = 2
CHECK_SECONDS = 1.0
TEMPORARY = ".tmp-"
STALE_SECONDS = 3600
LOCK = ".lock"
LOCK_SECONDS = 60.0  # a switch takes milliseconds
ARRAYS = {"ranking": np.float32, "neighbours": np.int32, "scores": np.float32, "support": np.int32}
EXTRA = "extra-"
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Damaged(Exception):
    """An artefact that does not match its manifest, or none that this version can read."""


class Keys:
    """The items of an artefact and the row of each, shared by all that have the same: 0.2 KB an item."""

    def __init__(self, keys: list[tuple[int, str]]) -> None:
        self.keys = keys
        self.rows = {key: row for row, key in enumerate(keys)}


# By the checksum of the file. What no artefact holds any more goes by itself.
_shared_keys: WeakValueDictionary[str, Keys] = WeakValueDictionary()


def keys_of(source: Path, digest: str) -> Keys:
    known = _shared_keys.get(digest)
    if known is None:
        read = [(kind, key) for kind, key in orjson.loads((source / "keys.json").read_bytes())]
        known = _shared_keys[digest] = Keys(read)
    return known


@dataclass(kw_only=True, eq=False)
class Artefact:
    """An opened version. ``rows`` finds the row number of an item; arrays as in ``Learned``.

    ``order`` holds the rows with a positive ranking, the best first. ``parts``: the same model learnt from a
    part of the events, such as one time slot. ``groups``: rows of the items of each submodel.
    """

    version: str
    shared: Keys
    ranking: Float32
    neighbours: Int32
    scores: Float32
    support: Int32
    built_at: datetime
    parameters: dict[str, Any] = field(default_factory=dict)  # by which it was learnt
    sources: list[str] = field(default_factory=list)
    extra: dict[str, NDArray[Any]] = field(default_factory=dict)
    parts: dict[str, Artefact] = field(default_factory=dict)
    groups: dict[str, Int32] = field(default_factory=dict)
    whole: Artefact | None = None  # what it is a part of, with the same keys
    keys: list[tuple[int, str]] = field(init=False)
    rows: dict[tuple[int, str], int] = field(init=False)
    order: Int32 = field(init=False)
    # Kept by server.candidates: where its items are in the catalogue that was used last.
    placed: Any = None
    # Kept by the ways of serving: what they make of the arrays once.
    made: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys, self.rows = self.shared.keys, self.shared.rows
        # Stable, so that equal scores keep the order of the ids and answers do not flicker.
        order = np.argsort(-self.ranking, kind="stable").astype(np.int32)
        self.order = order[self.ranking[order] > 0]


def folder(customer_id: str, model: str) -> Path:
    """Where a model's versions live. Refuses names that could leave the artefact root."""
    for name in (customer_id, model):
        if not SAFE.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a folder: use letters, digits, _ and -.")
    return Path(settings.ARTEFACT_ROOT) / customer_id / model


@dataclass(frozen=True, kw_only=True)
class Divided:
    """What a model's divisions add to it: parts by name, and the rows of the items of each submodel."""

    parts: Mapping[str, Learned] = field(default_factory=dict)
    groups: Mapping[str, Int32] = field(default_factory=dict)


NOT_DIVIDED = Divided()


def write(
    customer_id: str,
    model: str,
    learned: Learned,
    *,
    about: dict[str, Any],
    divided: Divided = NOT_DIVIDED,
) -> str:
    """Store a version and make it the current one; returns its name. Old versions are removed.

    Raises :class:`~config.faults.Fault` when the disk does not take it; the version before keeps serving.
    """
    home = folder(customer_id, model)
    version = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:6]}"
    with writing_to(home, lost=f"The new version of the model {model} was not stored"):
        try:
            temporary, _pointer = places(home, version)
            temporary.mkdir(parents=True)
            write_files(temporary, learned, about=about, divided=divided)
            # One at a time: else a newer build could prune this version before anything points at it.
            with hold(home / LOCK, patience=LOCK_SECONDS):
                switch(home, version)
                prune(home, keep=version)
        except BaseException:
            discard(home, version)
            raise
    return version


def switch(home: Path, version: str) -> None:
    """Put a version that is written in its place and let it serve."""
    temporary, pointer = places(home, version)
    temporary.rename(home / version)
    sync(home)
    write_synced(pointer, version.encode())
    pointer.rename(home / "current")
    sync(home)


def places(home: Path, version: str) -> tuple[Path, Path]:
    """Where a version and the pointer to it are while they are not complete."""
    return home / f"{TEMPORARY}{version}", home / f"{TEMPORARY}current-{version}"


def discard(home: Path, version: str) -> None:
    """Remove what was written of a version that came not to serve; a full disk needs the room."""
    temporary, pointer = places(home, version)
    shutil.rmtree(temporary, ignore_errors=True)
    if not pointed_at(home, version):
        shutil.rmtree(home / version, ignore_errors=True)
    with suppress(OSError):
        pointer.unlink(missing_ok=True)


def pointed_at(home: Path, version: str) -> bool:
    try:
        return (home / "current").read_text().strip() == version
    except OSError:
        return False


def write_files(target: Path, learned: Learned, *, about: dict[str, Any], divided: Divided) -> None:
    write_learned(target, learned)
    write_synced(target / "keys.json", orjson.dumps(learned.keys))
    for number, part in enumerate(divided.parts.values()):
        (target / f"part-{number}").mkdir()
        write_learned(target / f"part-{number}", part)
    for number, rows in enumerate(divided.groups.values()):
        write_array(target / f"group-{number}.npy", np.asarray(rows, np.int32))
    names = {"parts": list(divided.parts), "groups": list(divided.groups)}
    write_synced(target / "names.json", orjson.dumps(names))
    files = sorted(file for file in target.rglob("*") if file.is_file())
    sums = {str(file.relative_to(target)): checksum(file) for file in files}
    manifest = {"schema": SCHEMA, "built_at": datetime.now(UTC).isoformat(), **about, "sha256": sums}
    write_synced(target / "manifest.json", orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    sync(target)


def write_learned(target: Path, learned: Learned) -> None:
    for name, kind in ARRAYS.items():
        write_array(target / f"{name}.npy", np.ascontiguousarray(getattr(learned, name), kind))
    for name, array in learned.extra.items():
        write_array(target / f"{EXTRA}{name}.npy", np.ascontiguousarray(array))
    write_synced(target / "sources.json", orjson.dumps(learned.sources))


def write_array(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as handle:
        # Of a real file NumPy only tells that the writing failed, not that the disk is full.
        np.save(Plain(handle), array, allow_pickle=False)
        handle.flush()
        os.fsync(handle.fileno())


class Plain:
    """A file of which only ``write`` is known."""

    def __init__(self, handle: BinaryIO) -> None:
        self.write = handle.write


def write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def checksum(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def prune(home: Path, *, keep: str) -> None:
    """Remove all but the newest versions, and what killed builds left.

    Open memory maps outlive the removal of their files.
    """
    versions = sorted(entry.name for entry in home.iterdir() if entry.is_dir() and entry.name[0] != ".")
    for old in versions[:-KEPT_VERSIONS]:
        if old != keep:
            shutil.rmtree(home / old, ignore_errors=True)
    for left in home.glob(f"{TEMPORARY}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def opened(home: Path, version: str) -> Artefact:
    """Map a version into memory. Raises :class:`Damaged`."""
    source = home / version
    try:
        manifest = orjson.loads((source / "manifest.json").read_bytes())
        verify(source, manifest)
        about: dict[str, Any] = {
            "version": version,
            "shared": keys_of(source, manifest["sha256"]["keys.json"]),
            "built_at": datetime.fromisoformat(manifest["built_at"]),
            "parameters": manifest.get("parameters", {}),
        }
        found = Artefact(**about, **read_learned(source))
        if manifest["schema"] > 1:
            names = orjson.loads((source / "names.json").read_bytes())
            for number, name in enumerate(names["parts"]):
                part = read_learned(source / f"part-{number}")
                found.parts[name] = Artefact(**about, **part, whole=found)
            found.groups = {
                name: mapped(source / f"group-{number}.npy") for number, name in enumerate(names["groups"])
            }
        return found
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise Damaged(f"The artefact {source} cannot be read: {fault}") from fault


def read_learned(source: Path) -> dict[str, Any]:
    found: dict[str, Any] = {name: mapped(source / f"{name}.npy") for name in ARRAYS}
    found["extra"] = {
        file.stem.removeprefix(EXTRA): mapped(file) for file in sorted(source.glob(f"{EXTRA}*.npy"))
    }
    listed = source / "sources.json"
    found["sources"] = orjson.loads(listed.read_bytes()) if listed.exists() else []
    return found


def mapped(path: Path) -> NDArray[Any]:
    # As a plain array: numpy gives everything that is cut from a memmap an object of its own, for 20 µs.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def verify(source: Path, manifest: dict[str, Any]) -> None:
    if manifest["schema"] not in READ_SCHEMAS:
        raise Damaged(f"The artefact {source} has schema {manifest['schema']}; this version reads {SCHEMA}.")
    for name, expected in manifest["sha256"].items():
        if checksum(source / name) != expected:
            raise Damaged(f"The file {source / name} does not match its checksum.")


class Shelf:
    """The opened artefacts of this process. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Path, Artefact] = {}
        self._refused: dict[Path, str] = {}
        self._checked: dict[Path, float] = {}

    def current(self, customer_id: str, model: str) -> Artefact | None:
        """What serves now, None before the first build. Notices a switch within a second."""
        home = folder(customer_id, model)
        now = time.monotonic()
        if now - self._checked.get(home, -CHECK_SECONDS) >= CHECK_SECONDS:
            with self._lock:
                self._checked[home] = now
                self._look(home)
        return self._open.get(home)

    def _look(self, home: Path) -> None:
        try:
            version = (home / "current").read_text().strip()
        except OSError:
            self._open.pop(home, None)
            return
        known = self._open.get(home)
        if (known and known.version == version) or self._refused.get(home) == version:
            return
        try:
            self._open[home] = opened(home, version)
        except Damaged as fault:
            # The previous version keeps serving; the next build replaces the damaged one.
            self._refused[home] = version
            logger.error("%s", fault)

    def forget(self) -> None:
        """Look at every pointer again at the next call."""
        self._checked.clear()
        self._refused.clear()


shelf = Shelf()
