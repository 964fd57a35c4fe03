"""XML bodies, read safely: no document types, no entities, not larger than the engine takes."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

import defusedxml
from defusedxml.ElementTree import fromstring
from django.http import HttpRequest

from personalization.server.api.answers import Refusal, sized_body


def xml_body(request: HttpRequest, *, root: str) -> Element:
    """The root element of the body, which must be called ``root``. Raises :class:`Refusal`."""
    try:
        found: Element = fromstring(sized_body(request), forbid_dtd=True)
    except ParseError as fault:
        raise Refusal(400, f"The body is no XML that is taken: {fault}.") from None
    except (defusedxml.DefusedXmlException, ValueError) as fault:
        raise Refusal(400, f"The body is no XML that is taken: {type(fault).__name__}.") from None
    if found.tag != root:
        raise Refusal(400, f"The root element must be {root}; got {found.tag[:80]!r}.")
    return found


def versioned(root: Element) -> Element:
    """The root of a document whose version must be 1."""
    if root.get("version") != "1":
        raise Refusal(400, f'{root.tag} must have version="1"; got {str(root.get("version"))[:16]!r}.')
    return root
