"""The Jinja2 environment of site templates."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from jinja2 import Environment


def environment(**options: Any) -> Environment:
    env = Environment(**options)  # noqa: S701 - Django's backend switches autoescape on
    env.globals.update({"static": static, "url": reverse, "get_language": translation.get_language})
    env.install_gettext_translations(translation, newstyle=True)  # type: ignore[attr-defined]
    return env
