"""Where uploaded and static files go, readable for a web server that serves them: see config.private."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from config.media import public_name
from config.private import PUBLIC_FILE, PUBLIC_FOLDER, public_folder


class UploadedFiles(FileSystemStorage):
    """Pictures for everybody; documents only for this user, because Wagtail asks who may read them."""

    def _save(self, name: str, content: File[Any]) -> str:
        root = Path(self.location)
        public_folder((root / name).parent if public_name(name) else root, root=root)
        saved: str = super()._save(name, content)  # type: ignore[misc]  # private in the stubs
        return saved


class CollectedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise's files under their digests, and their compressed forms."""

    def post_process(self, *args: Any, **options: Any) -> Iterator[Any]:
        yield from super().post_process(*args, **options)
        root = Path(self.location)
        root.chmod(PUBLIC_FOLDER)
        for path in root.rglob("*"):
            path.chmod(PUBLIC_FOLDER if path.is_dir() else PUBLIC_FILE)
