"""The worker whose lake does not look how far its manifest reaches, and moves its cursor late."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import django

from tests.chaos.busy_worker import work

GAP_SECONDS = 3.0

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tracking import lake
    from tracking.parts import Manifest

    read_manifest, move_cursor = lake.read_manifest, lake.move_cursor

    def read_files_alone(folder: Path) -> Manifest:
        return replace(read_manifest(folder), last_id=0)

    def move_later(last_id: int) -> None:
        """Late only once: after that a worker that was not killed may catch up."""
        lake.move_cursor = move_cursor
        time.sleep(GAP_SECONDS)
        move_cursor(last_id)

    lake.read_manifest, lake.move_cursor = read_files_alone, move_later
    work()
