"""What every screen of the back office has, Wagtail's own lists included."""

from __future__ import annotations

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail import hooks


@hooks.register("insert_global_admin_css")  # type: ignore[untyped-decorator]
def look() -> SafeString:
    return format_html('<link rel="stylesheet" href="{}">', static("lodestar/admin.css"))
