"""Users, products and content for a customer data platform: rows, and the stream that they go to.

What a project adds to its rows it registers here, at import, in a module of its own app::

    from cdp import export

    @export.user_item_processor(priority=10)
    def country(row, user):
        return row | {"country": user.profile.country}
"""

from __future__ import annotations

from cdp.export.hooks import (
    Field,
    field_processor,
    field_value_processor,
    json_field_type,
    skip_field_type,
    user_item_processor,
    user_queryset,
    user_type,
)

__all__ = [
    "Field",
    "field_processor",
    "field_value_processor",
    "json_field_type",
    "skip_field_type",
    "user_item_processor",
    "user_queryset",
    "user_type",
]
