"""Looking at a page as the members of some segments do: ``?as_segment=cats&as_segment=dogs``.

Only for who may see segments in the back office; for everybody else the parameter says nothing.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

PARAMETER = "as_segment"
PERMISSION = "segments.view_segment"
MOST = 100


def asked_for(request: HttpRequest) -> list[str] | None:
    """The identifiers that somebody who may wants to be taken for; None when nobody asks.

    An empty one asks for nobody's segments.
    """
    if PARAMETER not in request.GET:
        return None
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_active or not user.has_perm(PERMISSION):
        return None
    return [one for one in request.GET.getlist(PARAMETER)[:MOST] if one and "\0" not in one]
