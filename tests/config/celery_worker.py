"""A Celery worker with two processes, on the database of the test that started it."""

from __future__ import annotations

import os
import time
from pathlib import Path

LONGEST_SECONDS = 240


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = os.environ["CELERY_TEST_DATABASE"]
    django.setup()
    from config.celery import app
    from config.jobs import queue

    queue.job("test.celery_short", short=True)(lambda run: {})
    queue.job("test.celery_long")(until_released)
    queues = os.environ["CELERY_TEST_QUEUES"]
    app.Worker(
        concurrency=2, pool="prefork", queues=queues, hostname=f"{queues}@%h", loglevel="WARNING"
    ).start()


def until_released(_run: object) -> dict[str, object]:
    """Run until the test says so; says whether a child process of the worker did."""
    released = Path(os.environ["CELERY_TEST_FOLDER"]) / "release"
    deadline = time.monotonic() + LONGEST_SECONDS
    while not released.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return {"prefork": os.getpid() != MAIN}


MAIN = os.getpid()
if __name__ == "__main__":
    main()
