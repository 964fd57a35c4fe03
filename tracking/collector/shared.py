"""The one writer of a web process, started with its first event."""

from __future__ import annotations

import os
import threading

from tracking.collector.sinks import sink_for
from tracking.collector.writer import Writer
from tracking.rotation import keys

_lock = threading.Lock()
_writer: Writer | None = None
_owner = 0


def writer() -> Writer:
    """The writer of this process; a forked child gets its own, for threads do not survive a fork."""
    global _writer, _owner
    with _lock:
        if _writer is None or _owner != os.getpid():
            keys.note_quietly()
            _writer = Writer(sink_for())
            _owner = os.getpid()
        return _writer


def close() -> None:
    """Store what is queued and drop the connection (tests do, before their database goes)."""
    global _writer
    with _lock:
        if _writer is not None and _owner == os.getpid():
            _writer.close()
        _writer = None
