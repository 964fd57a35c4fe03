"""The functions and filters of the demo site's templates."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.utils import formats, translation
from django.utils.html import strip_tags
from jinja2 import Environment
from jinja2.ext import Extension
from wagtail.rich_text import RichText

from content import listings, pictures


class ContentExtension(Extension):
    """Adds :mod:`content.listings`, pictures and the formats of dates, prices and plain texts."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals.update(listings.functions())
        environment.globals["image"] = pictures.image
        environment.filters.update({"day": day, "money": money, "plain": plain})


def day(value: date | datetime) -> str:
    return formats.date_format(value, "j F Y")


def money(value: Decimal | str, currency: str = "EUR") -> str:
    """Write an amount as readers of the active language do: €129.00, 129,00 €; "" for what is none."""
    try:
        value = Decimal(value)
    except InvalidOperation:
        return ""
    if not value.is_finite():
        return ""
    symbol = {"EUR": "€", "GBP": "£", "USD": "$"}.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    amount = formats.number_format(value, decimal_pos=2, use_l10n=True, force_grouping=True)
    if (translation.get_language() or "en").startswith("en"):
        return f"{symbol}{amount}"
    return f"{amount}\N{NO-BREAK SPACE}{symbol.strip()}"


def plain(value: str | RichText) -> str:
    """Return rich text without its markup, for alternative texts and summaries."""
    source = value.source if isinstance(value, RichText) else str(value or "")
    return strip_tags(source.replace("</p><p>", " ")).replace("&amp;", "&").strip()
