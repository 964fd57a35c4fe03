"""``manage.py stream_content_data``, which is also ``ibexa:cdp:stream-content-data``."""

from __future__ import annotations

from cdp.export.command import StreamCommand


class Command(StreamCommand):
    kind = "content"
    help = "Send the content of a type to a customer data platform."
