"""A TCP server that answers every connection with the bytes a test gives it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator

Script = Callable[[bytes], Iterable[bytes]]


class RawServer:
    """Calls ``script(request head)`` per connection and sends what it yields, then closes."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.heads: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            head = b""
            tls_hello = b"\x16\x03"
            while b"\r\n\r\n" not in head and not head.startswith(tls_hello):
                part = connection.recv(65536)
                if not part:
                    return
                head += part
            self.heads.append(head)
            for part in self.script(head):
                connection.sendall(part)
            read_the_rest(connection)


def read_the_rest(connection: socket.socket) -> None:
    """Take what the client still sends: closed with unread bytes, TCP throws away what was sent."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(2)
    while connection.recv(65536):
        pass


@contextlib.contextmanager
def raw_server(script: Script) -> Iterator[RawServer]:
    server = RawServer(script)
    try:
        yield server
    finally:
        server.listener.close()


def response(status: str = "200 OK", *headers: str, body: bytes = b"ok") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
