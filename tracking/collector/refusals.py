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
from tracking.events import RULES, SPELLINGS
from tracking.fields import BadEvent
from tracking.models import RefusedRequest

logger = logging.getLogger("tracking")

MOST_A_TURN = 100
TURN_SECONDS = 1.0
METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"})
PREFIXES_SHOWN = frozenset(prefix.decode() for prefix in PREFIXES)
MOST_KEPT = 10_000
KEPT_SECONDS = 7 * 24 * 3600
# Answers that say something of the request; 503 says something of us, and its storm must not be written.
TOLD = range(400, 500)
# What a sentence repeats of the request stands in quotation marks.
QUOTED = re.compile(r'".*"', re.DOTALL)
STRANGE_CUSTOMER = re.compile(r"^customer \S+ (?=not found)")
PARAMETERS = frozenset(name for rule in RULES.values() for name in rule.by_name)


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
            try:
                self.store()
                connections[settings.EVENTS_DB].close()
            except Exception as fault:  # noqa: BLE001 - the thread must not end; nothing of value is lost
                logger.warning("Refused requests could not be noted: %s", type(fault).__name__)
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
    """The row of a refused request: its shape, for any part of what is wrong may name a person."""
    address, _, query = target.decode("latin-1").partition("?")
    pieces = address.split("/")
    rule = SPELLINGS.get(pieces[3]) if len(pieces) > 3 else None
    return RefusedRequest(
        received=time.time_ns() // 1000,
        customer_id=reason.customer_id,
        event=rule.code if rule else "",
        status=reason.status,
        method=method if method in METHODS else "",
        target=(shape_of(pieces, reason.customer_id) + names_of(query))[:500],
        message=without_values(reason)[:300],
    )


def shape_of(pieces: list[str], customer_id: str) -> str:
    """The path with words in place of its values, but for what is known to be no person."""
    known = {1: PREFIXES_SHOWN, 2: {customer_id}, 3: {*SPELLINGS, "events"}}
    shown = [
        piece if piece in known.get(place, ()) else word_for(piece) for place, piece in enumerate(pieces)
    ]
    return "/".join(shown)


def word_for(piece: str) -> str:
    return "" if not piece else "[number]" if piece.isdigit() else "[text]"


def names_of(query: str) -> str:
    """The parameters that an event may have, without their values."""
    names = (pair.partition("=")[0] for pair in query.split("&") if pair)
    shown = [f"{name}=[…]" if name in PARAMETERS else "[…]" for name in names]
    return "?" + "&".join(shown) if shown else ""


def without_values(reason: BadEvent) -> str:
    message = QUOTED.sub("[…]", reason.message)
    return message if reason.customer_id else STRANGE_CUSTOMER.sub("customer […] ", message)


refusals = Refusals()
