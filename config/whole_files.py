"""A storage of files that appear whole or not at all, and then survive a power cut."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from config.files import sync


class WholeFiles(FileSystemStorage):
    """Saving under a name that exists replaces the file in one step, as a bucket does.

    Content with a ``temporary_file_path`` on the same file system is moved, other content is written beside.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"allow_overwrite": True})

    def _save(self, name: str, content: File[bytes]) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        written = getattr(content, "temporary_file_path", None)
        temporary = (
            Path(written()) if written else target.with_name(f".tmp-{os.getpid()}-{secrets.token_hex(4)}")
        )
        try:
            if not written:
                with temporary.open("wb") as handle:
                    handle.writelines(content.chunks())
            sync(temporary)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync(target.parent)
        return name


class LakeFolder(WholeFiles):
    """The lake in the state folder."""

    @property
    def base_location(self) -> Any:
        return settings.LAKE_ROOT

    @property
    def location(self) -> str:
        return os.path.abspath(settings.LAKE_ROOT)
