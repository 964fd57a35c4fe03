"""The tags of tracking for the customer data platform, for Jinja2, with the names of older templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context

from cdp.tracking import rendering


@pass_context
def tracking_script(context: Context, **options: Any) -> str:
    return rendering.tracking_script(context["request"], **options)


@pass_context
def track_event(context: Context, event: str, data: Any = None, **options: Any) -> str:
    return rendering.track_event(context["request"], event, data, **options)


@pass_context
def ibexa_tracking_script(
    scope: Context,
    customerId: int | None = None,  # noqa: N803 - as older templates write it
    hasConsented: bool = False,  # noqa: FBT001, FBT002, N803
) -> str:
    return rendering.tracking_script(scope["request"], account=customerId, has_consented=hasConsented)


@pass_context
def ibexa_tracking_track_event(
    scope: Context,
    eventType: str,  # noqa: N803
    data: Any = None,
    context: Mapping[str, Any] | None = None,
    template: str | None = None,
) -> str:
    """``template`` is taken and not used: the markup is ours."""
    return rendering.track_event(scope["request"], eventType, data, **(context or {}))


class TrackingExtension(Extension):
    """Adds the functions of :mod:`cdp.tracking.rendering` to the environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals.update(
            tracking_script=tracking_script,
            track_event=track_event,
            ibexa_tracking_script=ibexa_tracking_script,
            ibexa_tracking_track_event=ibexa_tracking_track_event,
        )
