"""The collector without its guard: it answers first and commits a little later. Proves the harness."""

from __future__ import annotations

import os
import sys
import time

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tracking.collector import server
    from tracking.collector.writer import Submission, Writer

    class HastyWriter(Writer):
        def put(self, submissions: list[Submission]) -> None:
            self.on_done(submissions)
            super().put([Submission(one.rows, one.edges, context=one.context) for one in submissions])

        def _store(self, batch: list[Submission]) -> None:
            time.sleep(0.02)
            super()._store(batch)

        def _run(self) -> None:
            running = True
            while running:
                batch, running = self._next_batch()
                self._store(batch)
            self.sink.close()

    server.Collector.writer_class = HastyWriter
    server.run(host="127.0.0.1", port=int(sys.argv[sys.argv.index("--port") + 1]))
