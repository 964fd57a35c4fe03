"""A Celery worker on the database of the test that started it."""

from __future__ import annotations

import os


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = os.environ["CELERY_TEST_DATABASE"]
    django.setup()
    from config.celery import app
    from config.jobs import queue

    queue.job("test.celery")(lambda run: {"ran": True})
    app.Worker(concurrency=1, pool="solo", loglevel="WARNING").start()


if __name__ == "__main__":
    main()
