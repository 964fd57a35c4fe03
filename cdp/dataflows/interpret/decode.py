"""Bytes -> text: what a mark says, else UTF-8 if it is that, else Windows-1252 (reference `cdp.md` 2.2)."""

from __future__ import annotations

import codecs

from django.utils.translation import gettext

from cdp.dataflows.faults import DataflowFault

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(body: bytes) -> str:
    """Raises :class:`DataflowFault` ``undecodable``."""
    for mark, name in MARKS:
        if body.startswith(mark):
            return name
    for name in ("utf-8", "windows-1252"):
        try:
            body.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    raise DataflowFault(
        "undecodable", gettext("The data is neither UTF-8, UTF-16 nor Windows-1252 text; export it as UTF-8.")
    )


def decoded(body: bytes, encoding: str) -> str:
    """Raises :class:`DataflowFault` ``undecodable``."""
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as fault:
        raise DataflowFault(
            "undecodable",
            gettext("Byte %(start)s of the data is not %(encoding)s; choose another encoding.")
            % {"start": fault.start, "encoding": encoding},
            field="encoding",
        ) from None
