"""Named channels with redaction."""

from __future__ import annotations

import logging.config
from typing import Any


def configure(options: dict[str, Any]) -> None:
    """Set the channels up; called by Django with ``settings.LOGGING``."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"console": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["console"], "level": options["level"]},
        }
    )
