"""The files that a page of docs/ shows, written where they can be run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.flows.installation import ROOT, Installation

BLOCK = re.compile(r"^```\w+\n(?:#|\{#) (\S+)(?: #\})?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files_of(document: str) -> dict[str, str]:
    return dict(BLOCK.findall((ROOT / "docs" / document).read_text()))


@contextmanager
def served_app(document: str, app: str, folder: Path) -> Iterator[Installation]:
    """An empty database and the app of the document, migrated and served while the block runs."""
    for name, text in files_of(document).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / app / "__init__.py").touch()
    own = Installation(
        var_dir=folder / "var",
        extra_env={
            "PYTHONPATH": str(folder),
            "LODESTAR_APPS": app,
            "LODESTAR_URLS": f"{app}.urls",
            "LODESTAR_SITES_FILE": str(folder / "sites.yaml"),
        },
    )
    own.manage("makemigrations", app)
    own.migrate()
    with own.serving():
        yield own
