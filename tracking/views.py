"""The event intake on the web port: same checks, same writer, same answers as the collector."""

from __future__ import annotations

from concurrent.futures import TimeoutError as TooLate

from django.conf import settings
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from config.middleware import raw_target
from config.web import warmer
from tracking.collector import answers, body, intake, path, shared
from tracking.collector.answers import Answer
from tracking.collector.intake import Accepted
from tracking.collector.refusals import refusals
from tracking.collector.sinks import BadRows
from tracking.collector.writer import Busy
from tracking.fields import BadEvent
from tracking.rotation import keys

LONGEST_WAIT_SECONDS = 15.0
AWAY = BadEvent(503, "the database does not answer; send the event again in a second")


@warmer
def note_refusals() -> None:
    refusals.start()


@csrf_exempt
def event(request: HttpRequest) -> HttpResponse:
    """Store one event and answer after its commit. Reads neither session nor cookies."""
    keys.settled.look()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        refuse_wrong_head(request)
        accepted = intake.accept(
            raw_target(request), method=request.method or "", headers=headers, body=body_of(request)
        )
        commit(accepted)
    except BadEvent as reason:
        refusals.note(raw_target(request), request.method or "", reason)
        return rendered(answers.refusal(reason, headers))
    except DatabaseError:
        return rendered(answers.refusal(AWAY, headers))
    return rendered(accepted.answer)


def refuse_wrong_head(request: HttpRequest) -> None:
    """What the collector refuses before it reads the request: a long address, a chunked body, no Host header.

    WSGI servers hand a chunked body to Django as an empty one, so accepting it would lose data. One Host
    header under HTTP/1.1, whatever it names (RFC 9112, 3.2): the web server has refused a second one already,
    and a request without a raw address came over no wire.
    """
    meta = request.META
    if len(raw_target(request)) > path.LONGEST_TARGET:
        raise path.too_long(len(raw_target(request)))
    if "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise BadEvent(411, body.UNMEASURED)
    if "RAW_URI" in meta and "HTTP_HOST" not in meta and meta.get("SERVER_PROTOCOL") == "HTTP/1.1":
        raise BadEvent(400, "the request must have exactly one Host header")


def body_of(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or "0"
    most = body.biggest(raw_target(request))
    if length.isascii() and length.isdigit() and int(length) > most:
        raise body.too_big(int(length), most=most)
    return request.body


def commit(accepted: Accepted) -> None:
    """Wait until the rows are on disk. Raises :class:`BadEvent` 500 or 503."""
    if not accepted.rows:
        return
    if connections[settings.EVENTS_DB].in_atomic_block:
        # The writer commits in a connection of its own: the answer would survive a rollback of the
        # surrounding transaction, and SQLite's writer would wait for it. Tests mark transaction=True.
        raise BadEvent(500, "events cannot be stored inside a database transaction of the caller")
    try:
        shared.writer().submit(accepted.rows, accepted.edges).result(LONGEST_WAIT_SECONDS)
    except (Busy, TooLate) as reason:
        message = str(reason) or "the event could not be stored in time; send it again"
        raise BadEvent(503, message) from reason
    except BadRows as reason:
        raise BadEvent(500, f"{reason}; please report this") from reason


def rendered(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    if answer.content_type:
        response["Content-Type"] = answer.content_type
        response["Content-Length"] = str(len(answer.body))
    else:
        del response["Content-Type"]
    for name, value in (*answers.COMMON_HEADERS, *answer.headers):
        response[name] = value
    # Django logs the path of every answer from 400 on, and the path holds the raw user id.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
