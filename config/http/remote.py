"""A call over a socket: pinned to the checked address, cut off at its deadline."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any, cast

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from config.http.addresses import Target
from config.http.answer import Deadline, Incoming, OutgoingError, Refused, TooSlow, Unreachable
from config.http.reasons import reason

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
CHUNK_BYTES = 64 * 1024
USER_AGENT = "Lodestar/0.1"


class Guard:
    """Cuts the connection at the deadline, wherever it hangs: a peer that sends a byte now and then
    never runs into a read timeout."""

    def __init__(self, deadline: Deadline) -> None:
        self.sockets: list[socket.socket] = []
        self.timer = threading.Timer(max(deadline.left, 0.0), self.cut)
        self.timer.daemon = True
        self.timer.start()

    def watch(self, sock: socket.socket) -> None:
        # A copy, because TLS takes the original's file descriptor away.
        self.sockets.append(sock.dup())

    def cut(self) -> None:
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        self.timer.cancel()
        while self.sockets:
            self.sockets.pop().close()


class PinnedAdapter(HTTPAdapter):
    """Connects to the addresses that were checked; name, SNI and certificate stay the host's."""

    def __init__(self, target: Target, guard: Guard) -> None:
        super().__init__(max_retries=0)

        def connect(self: Any, ordinary: Any) -> socket.socket:
            name = self._dns_host
            try:
                sock = first_that_connects(self, ordinary, target.addresses)
            finally:
                self._dns_host = name
            guard.watch(sock)
            return sock

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return connect(self, super()._new_conn)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return connect(self, super()._new_conn)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def first_that_connects(connection: Any, ordinary: Any, addresses: tuple[str, ...]) -> socket.socket:
    for address in addresses[:-1]:
        connection._dns_host = address
        with contextlib.suppress(urllib3.exceptions.NewConnectionError):
            return cast(socket.socket, ordinary())
    connection._dns_host = addresses[-1]
    return cast(socket.socket, ordinary())


def open_remote(request: requests.Request, *, target: Target, deadline: Deadline) -> Incoming:
    """Send ``request``; the answer's body is read through ``chunks``. Raises OutgoingError only."""
    guard = Guard(deadline)
    session = requests.Session()
    session.trust_env = False  # neither proxies of the environment nor .netrc
    session.mount(f"{target.scheme}://", PinnedAdapter(target, guard))
    session.headers.clear()
    session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Accept": "*/*"})

    opened: list[requests.Response] = []

    def close() -> None:
        guard.release()
        for response in opened:
            response.close()
        session.close()

    try:
        with worded(target, deadline):
            response = session.send(
                session.prepare_request(request),
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_SECONDS, deadline.left), min(READ_SECONDS, deadline.left)),
                verify=settings.OUTBOUND_CA_BUNDLE or True,
            )
            opened.append(response)
            refuse_cut_head(response)
    except BaseException:
        close()
        raise
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Incoming(
        status=response.status_code,
        headers=headers,
        chunks=chunks_of(response, target, deadline),
        close=close,
    )


def refuse_cut_head(response: requests.Response) -> None:
    """The library takes a head that breaks off in a header for a complete one."""
    original = getattr(response.raw, "_original_response", None)
    defects = original.msg.defects if original is not None else []
    if defects:
        raise requests.exceptions.ChunkedEncodingError(f"malformed header: {defects[0]}")


def chunks_of(response: requests.Response, target: Target, deadline: Deadline) -> Iterator[bytes]:
    """The decoded body in pieces of at most 64 KiB, so that a compressed bomb never unfolds whole."""
    stream = response.raw.stream(CHUNK_BYTES, decode_content=True)
    while True:
        with worded(target, deadline):
            chunk = next(stream, None)
        if deadline.left <= 0:
            raise too_slow(target, deadline)
        if chunk is None:
            return
        yield chunk


@contextlib.contextmanager
def worded(target: Target, deadline: Deadline) -> Iterator[None]:
    """Turn whatever the libraries raise into a sentence of ours."""
    try:
        yield
    except OutgoingError:
        raise
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError) as error:
        raise Refused(f"{target.key} is not called: the request is malformed ({error}).") from error
    except Exception as error:
        if deadline.left <= 0:
            raise too_slow(target, deadline) from error
        raise failure(target, error) from error


def failure(target: Target, error: Exception) -> OutgoingError:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return TooSlow(f"{target.key} took no connection within {CONNECT_SECONDS:.0f} s.")
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return TooSlow(f"{target.key} sent nothing for a while and was given up.")
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return Unreachable(f"{target.key} has no acceptable TLS certificate or protocol: {reason(error)}.")
    return Unreachable(f"{target.key} gave no complete answer: {reason(error)}.")


def too_slow(target: Target, deadline: Deadline) -> TooSlow:
    return TooSlow(f"{target.key} did not answer completely within {deadline.seconds:g} s.")
