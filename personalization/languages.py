"""The wire's language codes, shared with the layers below."""

from __future__ import annotations

from config.languages import (
    UnknownLanguage,
    from_protocol_language,
    is_protocol_language,
    to_protocol_language,
)

__all__ = ["UnknownLanguage", "from_protocol_language", "is_protocol_language", "to_protocol_language"]
