"""The XML form of users. Reference `client-protocol.md` 7; only writes, nothing is parsed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree as ET

from personalization.client.users import User
from personalization.xml_form import clean

PROLOG = b'<?xml version="1.0"?>\n'
MOST_USERS = 1000
MOST_BYTES = 1024 * 1024


def document(users: Sequence[bytes]) -> bytes:
    """The elements of users as one document."""
    return PROLOG + b"<users>" + b"".join(users) + b"</users>"


def element(user: User) -> bytes:
    """One user in UTF-8; what XML cannot hold becomes U+FFFD."""
    top = ET.Element("user", id=clean(user.id))
    attributes = ET.SubElement(top, "attributes")
    for one in user.attributes:
        ET.SubElement(attributes, "attribute", key=clean(one.key), value=clean(one.text), type=one.kind)
    return ET.tostring(top, encoding="unicode").encode("utf-8", "replace")


def documents(users: Iterable[User]) -> Iterator[tuple[int, bytes]]:
    """Documents of at most 1,000 users or about 1 MiB, each with the number of its users."""
    waiting: list[bytes] = []
    size = 0
    for user in users:
        written = element(user)
        if waiting and (len(waiting) == MOST_USERS or size + len(written) > MOST_BYTES):
            yield len(waiting), document(waiting)
            waiting, size = [], 0
        waiting.append(written)
        size += len(written)
    if waiting:
        yield len(waiting), document(waiting)
