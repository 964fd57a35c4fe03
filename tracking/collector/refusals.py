"""Requests that were refused, kept for the event debugger.

A sender who errs repeats the error thousands of times, so what is kept is bounded twice: a second's worth of
rows, and the newest of all. Nothing here may cost a good event anything: the intake only appends to a list,
and a thread of its own writes it down.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import Max, Q

from tracking.collector.path import PREFIXES
from tracking.events import RULES
from tracking.fields import BadEvent
from tracking.models import RefusedRequest

logger = logging.getLogger("tracking")

MOST_A_TURN = 100
TURN_SECONDS = 1.0
MOST_KEPT = 10_000
KEPT_SECONDS = 7 * 24 * 3600
# Answers that say something of the request; 503 says something of us, and its storm must not be written.
TOLD = range(400, 500)
WORD = re.compile(r"[0-9A-Za-z_-]{1,32}")
# The sentences about parts of the path repeat what stood there.
ABOUT_PATH = re.compile(r"^((?:item|user|sourceuser|targetuser|itemtype)id .*?); got .*$", re.DOTALL)
PARAMETERS = frozenset(name for rule in RULES.values() for name in rule.by_name) - {"usersig", "signature"}
UNPRINTABLE = re.compile(r"[^ -~]")


class Refusals:
    """Gathers what is refused and stores it about once a second. Safe to share by threads."""

    def __init__(self) -> None:
        self._waiting: deque[RefusedRequest] = deque(maxlen=MOST_A_TURN)
        self._wake = threading.Event()
        self._healthy = True
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def note(self, target: bytes, method: str, reason: BadEvent) -> None:
        """Remember a refused request; never raises and never waits."""
        if reason.status not in TOLD or len(self._waiting) == MOST_A_TURN:
            return
        self._waiting.append(described(target, method=method, reason=reason))
        self._wake.set()

    def start(self) -> None:
        """Begin to write down what is noted. Servers call it once they are up."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            self.store()
            connections[settings.EVENTS_DB].close()
            time.sleep(TURN_SECONDS)

    def store(self) -> int:
        """Write what waits; return how many rows. What the database does not take is forgotten."""
        rows = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            RefusedRequest.objects.bulk_create(rows)
            self._healthy = True
        except DatabaseError as fault:
            if self._healthy:  # once, not every second
                logger.warning("Refused requests cannot be noted: %s", type(fault).__name__)
            self._healthy = False
        return len(rows)

    def trim(self) -> int:
        """Delete all but the newest; return how many."""
        newest = RefusedRequest.objects.aggregate(newest=Max("pk"))["newest"] or 0
        old = time.time_ns() // 1000 - KEPT_SECONDS * 1_000_000
        gone, _ = RefusedRequest.objects.filter(Q(pk__lte=newest - MOST_KEPT) | Q(received__lt=old)).delete()
        return int(gone)


def described(target: bytes, *, method: str, reason: BadEvent) -> RefusedRequest:
    """The row of a refused request, without anything that may name a person."""
    address, _, query = UNPRINTABLE.sub("?", target.decode("latin-1")).partition("?")
    pieces = address.split("/")
    known = len(pieces) > 3 and pieces[1].encode() in PREFIXES
    customer_id, event = (pieces[2], pieces[3]) if known else ("", "")
    return RefusedRequest(
        received=time.time_ns() // 1000,
        customer_id=customer_id if WORD.fullmatch(customer_id) else "",
        event=event if WORD.fullmatch(event) else "",
        status=reason.status,
        method=UNPRINTABLE.sub("?", method)[:16],
        target=(shape_of(pieces, known=known) + harmless(query))[:500],
        message=ABOUT_PATH.sub(r"\1", reason.message)[:300],
    )


def shape_of(pieces: list[str], *, known: bool) -> str:
    """The path with words for its values: in a request that is wrong any part may be the user id."""
    if not known:
        return "/…"
    kept = [piece if WORD.fullmatch(piece) else "[text]" for piece in pieces[1:4]]
    rest = ["[number]" if piece.isdigit() else "[text]" if piece else "" for piece in pieces[4:]]
    return "/" + "/".join([*kept, *rest])


def harmless(query: str) -> str:
    """The parameters that an event may have; what has another name may be anything."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    shown = [f"{name}={value}" if name in PARAMETERS else f"{name[:32]}=[…]" for name, _, value in pairs]
    return "?" + "&".join(shown) if shown else ""


refusals = Refusals()
