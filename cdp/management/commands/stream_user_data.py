"""``manage.py stream_user_data``, which is also ``ibexa:cdp:stream-user-data``."""

from __future__ import annotations

from cdp.export.command import StreamCommand


class Command(StreamCommand):
    kind = "user"
    help = "Send the users of this site to a customer data platform."
