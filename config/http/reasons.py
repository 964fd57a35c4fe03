"""Why a call failed, in words for who runs the installation, who need not know Python."""

from __future__ import annotations

import errno
import re
import ssl

# What the operating system says, said to a person.
BY_NUMBER = {
    errno.ECONNREFUSED: "nothing listens there",
    errno.ECONNRESET: "it closed the connection",
    errno.EPIPE: "it closed the connection",
    errno.ENETUNREACH: "there is no way to its network",
    errno.EHOSTUNREACH: "there is no way to its host",
    errno.ETIMEDOUT: "it took no connection",
}
BY_CLASS = {
    "RemoteDisconnected": "it closed the connection without an answer",
    "IncompleteRead": "it closed the connection in the middle of the answer",
    "BadStatusLine": "it does not speak HTTP",
    "LineTooLong": "a line of its headers is too long",
    "InvalidChunkLength": "the parts of its answer are malformed",
    "DecodeError": "its answer is not compressed as it says",
}
# Left of a library's own sentence once names of classes, files and numbers of errors are gone.
NOISE = re.compile(r"\[[A-Z0-9_: ]+\]|\(_ssl\.c:\d+\)|\[Errno -?\d+\]|\b\w*(?:Error|Exception)\b:?")
TLS = {
    "certificate has expired": "its certificate has expired",
    "self-signed": "its certificate is signed by nobody that is trusted",
    "self signed": "its certificate is signed by nobody that is trusted",
    "unable to get local issuer": "its certificate is signed by nobody that is trusted",
    "mismatch": "its certificate is for another name",
    "doesn't match": "its certificate is for another name",
    "not valid for": "its certificate is for another name",
    "protocol version": "it speaks TLS 1.1 or older only",
    "unsupported protocol": "it speaks TLS 1.1 or older only",
    "wrong version number": "it does not speak TLS",
}
LONGEST = 120  # characters


def reason(error: BaseException) -> str:
    """The innermost cause in few words, without names of classes."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    text = " ".join(str(error).split())
    if isinstance(error, ssl.SSLError):
        return next((words for part, words in TLS.items() if part in text.lower()), plain(text))
    if isinstance(error, OSError) and error.errno in BY_NUMBER:
        return BY_NUMBER[error.errno]
    if "got more than" in text and "headers" in text:
        return "it sent too many headers"
    return BY_CLASS.get(type(error).__name__) or plain(text)


def plain(text: str) -> str:
    """A library's sentence without what only programmers read; never empty."""
    return " ".join(NOISE.sub("", text).split())[:LONGEST].strip(" .:,()'\"") or "no reason is known"
