"""The XML form of a document of the platform's REST (reference `client-protocol.md` 4.4 and 4.5).

Lists, which the original XML form could not carry (W-28), are repeated elements.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET  # only writes; nothing is parsed with it

ELEMENT_NAME = re.compile(r"(?!xml)[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII | re.IGNORECASE)
# What XML 1.0 cannot hold, not even escaped.
NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_xml(document: dict[str, Any]) -> bytes:
    """A document with one root key, in the XML form of the platform: ``_media-type`` and ``_href`` become
    attributes, lists repeated elements, nothing (null) an empty element."""
    [(name, value)] = document.items()
    [root] = elements(name, value)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def elements(name: str, value: Any) -> list[ET.Element]:
    """One element for a value, several for a list."""
    if isinstance(value, list):
        return [element for one in value for element in elements(name, one)]
    known = ELEMENT_NAME.fullmatch(name) is not None
    # An attribute may have any name; an element may not.
    element = ET.Element(name) if known else ET.Element("field", name=clean(name))
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "_href":
                element.set("href", clean(part))
            elif key == "_media-type":
                element.set("media-type", clean(part).replace("+json", "+xml"))
            else:
                element.extend(elements(key, part))
    elif value is not None:
        element.text = clean(value)
    return [element]


def clean(value: Any) -> str:
    """A scalar as text; what XML cannot hold becomes U+FFFD."""
    text = ("false", "true")[value] if isinstance(value, bool) else str(value)
    return NOT_IN_XML.sub("\ufffd", text)
