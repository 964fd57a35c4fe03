"""A call to this installation itself: our own application answers in the calling thread.

Same contract, same bytes, but no socket, so page threads never wait for each other, and it works
where nothing listens. What must not leak from the inner request into the outer one (stack notes "Own
engine in the same thread"): language and other context variables run in a copy; the request_started
and request_finished signals, which close the outer request's database connection, are not sent.
"""

from __future__ import annotations

import contextvars
import io
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from config.http.answer import Incoming, Refused
from config.http.own import port_of

READING = {"GET", "HEAD", "OPTIONS"}
CHUNK_BYTES = 64 * 1024


class QuietHandler(BaseHandler):
    """Our middleware and views without the signals of a request."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()


_handler: list[QuietHandler] = []
_lock = threading.Lock()


def handler() -> QuietHandler:
    with _lock:
        if not _handler:
            # Importing the entry point first finishes the set-up that a served process has had.
            import_string(settings.WSGI_APPLICATION)
            _handler.append(QuietHandler())
        return _handler[0]


def open_own(method: str, url: str, *, headers: Mapping[str, str], content: bytes) -> Incoming:
    """Let our own application answer; the body is read through ``chunks``."""
    if method not in READING:
        refuse_inside_transaction(method, url)
    context = contextvars.copy_context()
    request = WSGIRequest(environ(method, url, headers=headers, content=content))
    response: HttpResponseBase = context.run(handler().get_response, request)

    def close() -> None:
        # response.close() would send request_finished.
        for closer in response._resource_closers:  # type: ignore[attr-defined]
            context.run(closer)
        response._resource_closers.clear()  # type: ignore[attr-defined]

    return Incoming(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.items()},
        chunks=chunks_of(response, context) if method != "HEAD" else iter(()),
        close=close,
    )


def refuse_inside_transaction(method: str, url: str) -> None:
    """A 202 that is rolled back with its caller would be a lie.

    The transaction that Django's TestCase puts around a test does not count.
    """
    for connection in connections.all(initialized_only=True):
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
            raise Refused(
                f"{method} {urlsplit(url).path} of this installation is not called inside a transaction of "
                f"the database {connection.alias!r}: what it stores would be lost with a rollback. "
                "Call it after the commit (transaction.on_commit or the outbox)."
            )


def environ(method: str, url: str, *, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """The WSGI environment that gunicorn would have made of the same request."""
    parts = urlsplit(url)
    path = parts.path or "/"
    raw = f"{path}?{parts.query}" if parts.query else path
    found: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "RAW_URI": raw,
        "SERVER_NAME": parts.hostname or "localhost",
        "SERVER_PORT": str(port_of(parts) or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.version": (1, 0),
        # Nothing crosses a wire here, so a redirect to https would only be in the way.
        "wsgi.url_scheme": "https" if settings.SECURE_SSL_REDIRECT else parts.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        found[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    return found


def chunks_of(response: HttpResponseBase, context: contextvars.Context) -> Iterator[bytes]:
    if not response.streaming:
        content: bytes = response.content  # type: ignore[attr-defined]
        for start in range(0, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]
        return
    parts = iter(response.streaming_content)  # type: ignore[attr-defined]
    while (chunk := context.run(next, parts, None)) is not None:
        yield response.make_bytes(chunk)
