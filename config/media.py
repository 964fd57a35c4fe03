"""Uploaded pictures, served by the application itself until a web server in front does it.

Editors upload them, so a browser must show them and never run them. Documents are left out: Wagtail
serves those under /documents/ and asks who may read them.
"""

from __future__ import annotations

import posixpath

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.static import serve

PRIVATE = ("documents",)
# A rendition's name holds the digest of its picture's content; a replaced one gets a new name.
CACHE_CONTROL = "public, max-age=86400"


def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer with the file; 404 for folders, documents and everything outside of the media folder."""
    name = public_name(path)
    if not name:
        raise Http404("This is no public file.")
    try:
        answer = serve(request, name, document_root=str(settings.MEDIA_ROOT))
    except OSError as reason:  # a name that no file can have
        raise Http404("This is no public file.") from reason
    answer["Cache-Control"] = CACHE_CONTROL
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def public_name(path: str) -> str:
    """``path`` as the file system would walk it, without ``//`` and ``..``; "" for what is not public."""
    parts = posixpath.normpath(path).strip("/").split("/")
    hidden = any(part.startswith(".") for part in parts)
    return "" if hidden or parts[0].lower() in PRIVATE else "/".join(parts)
