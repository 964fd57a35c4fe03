"""How a command is told of a person."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from tracking import fields
from tracking.people import whom
from tracking.people.spans import Span
from tracking.people.whom import NoSuchPerson

MOST_BYTES = fields.LONGEST_USER_BYTES + 2  # and the end of the line


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--customer", required=True, help="customer id")
    parser.add_argument(
        "--user", required=True, help="the user id as it was tracked; - reads it from standard input"
    )


def person(*, customer: str, user: str) -> tuple[Span, ...]:
    """The spans of the person that the options name. Raises :class:`NoSuchPerson`."""
    return whom.own(customer, from_standard_input() if user == "-" else user)


def from_standard_input() -> str:
    """One line, so that the id stands neither in the shell's history nor in the list of processes."""
    raw = sys.stdin.buffer.readline(MOST_BYTES + 1)
    if raw.endswith(b"\n") and sys.stdin.buffer.read(1):
        raise NoSuchPerson("--user -: standard input must hold one line with one user id; got several lines.")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise NoSuchPerson("--user must be valid UTF-8.") from None
