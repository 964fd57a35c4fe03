"""``manage.py stream_product_data``, which is also ``ibexa:cdp:stream-product-data``."""

from __future__ import annotations

from cdp.export.command import StreamCommand


class Command(StreamCommand):
    kind = "product"
    help = "Send the products of a type to a customer data platform."
