"""Static files outside development: collected by `serve` itself, when those of the code have changed.

Pages name static files by their digest, from a manifest that `collectstatic` writes last. Without it every
page would fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin
from django.core.management import call_command

MARK = "collected-from.txt"


def are_collected() -> bool:
    """Whether a page would find its static files."""
    return settings.DEBUG or (folder() / ManifestFilesMixin.manifest_name).is_file()


def prepare(say: Callable[[str], None]) -> None:
    """Collect the static files, unless those there are these. In development they are served as they are."""
    if settings.DEBUG:
        return
    digest = digest_of_sources()
    mark = folder() / MARK
    if are_collected() and mark.is_file() and mark.read_text() == digest:
        return
    say(f"Collecting the static files in {folder()}.")
    call_command("collectstatic", interactive=False, verbosity=0)
    temporary = mark.with_name(f".tmp-{MARK}-{os.getpid()}")
    temporary.write_text(digest)
    temporary.replace(mark)


def folder() -> Path:
    return Path(settings.STATIC_ROOT)


def digest_of_sources() -> str:
    """Names, sizes and times of all files that would be collected."""
    found = sha256()
    for path in sorted(sources()):
        stat = os.stat(path)
        found.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return found.hexdigest()


def sources() -> Iterator[str]:
    for finder in get_finders():
        for path, storage in finder.list([]):
            yield storage.path(path)
