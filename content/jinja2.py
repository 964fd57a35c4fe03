"""The functions and filters of the demo site's templates."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import formats, translation
from django.utils.html import strip_tags
from jinja2 import Environment
from jinja2.ext import Extension
from wagtail.rich_text import RichText

from content import listings

logger = logging.getLogger("content")


class ContentExtension(Extension):
    """Adds :mod:`content.listings` and the formats of dates, prices and plain texts."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals.update(listings.functions())
        wagtails: Any = environment.globals["image"]
        environment.globals["image"] = tolerant(wagtails)
        environment.filters.update({"day": day, "money": money, "plain": plain})


def tolerant(image: Callable[..., Any]) -> Callable[..., Any]:
    """Wagtail's ``image`` for a page that must render although the file is truncated or no picture."""

    def shown(picture: Any, *specs: str, **attributes: Any) -> Any:
        try:
            return image(picture, *specs, **attributes)
        except (OSError, SyntaxError) as error:  # Pillow calls a broken PNG a syntax error
            logger.warning("Picture %s (%s) cannot be read and is left out: %s", picture.pk, picture, error)
            return ""

    return shown


def day(value: date | datetime) -> str:
    return formats.date_format(value, "j F Y")


def money(value: Decimal, currency: str = "EUR") -> str:
    """Write an amount as readers of the active language do: €129.00, 129,00 €."""
    symbol = {"EUR": "€", "GBP": "£", "USD": "$"}.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    amount = formats.number_format(value, decimal_pos=2, use_l10n=True, force_grouping=True)
    if (translation.get_language() or "en").startswith("en"):
        return f"{symbol}{amount}"
    return f"{amount}\N{NO-BREAK SPACE}{symbol.strip()}"


def plain(value: str | RichText) -> str:
    """Return rich text without its markup, for alternative texts and summaries."""
    source = value.source if isinstance(value, RichText) else str(value or "")
    return strip_tags(source.replace("</p><p>", " ")).replace("&amp;", "&").strip()
