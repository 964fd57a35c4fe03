"""The template functions of the connector, for Jinja2."""

from __future__ import annotations

from jinja2.ext import Extension


class PersonalizationExtension(Extension):
    """Adds the functions of :mod:`personalization.client.rendering` to the environment."""
