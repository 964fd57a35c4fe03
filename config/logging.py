"""Named channels. Each can go to a file of its own and be left out of the others.

``LODESTAR_LOG_FILES=personalization=perso.log,cdp.webhook=/var/log/webhook.log`` writes these channels
to files, relative ones below ``var/log/``. Names of other systems are accepted.
"""

from __future__ import annotations

import logging.config
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

# A file of their own is asked for to have everything: their records are of the level DEBUG.
DETAILED = ("cdp.webhook",)
CHANNELS = ("personalization", "tracking", "cdp", "cdp.webhook", "config", "content")
ALIASES = {
    "ibexa-personalization": "personalization",
    "ibexa-recommendation": "personalization",
    "ibexa.cdp": "cdp",
    "ibexa.cdp.webhook": "cdp.webhook",
}


class NoTrace(logging.Filter):
    """For what a caller did wrong: the message says all of it, and anybody may repeat it at will."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


def configure(options: dict[str, Any]) -> None:
    """Set the channels up; called by Django with ``settings.LOGGING``."""
    files = channel_files(options.get("files", []), root=Path(options.get("root", ".")))
    level = options["level"].upper()
    loggers: dict[str, Any] = {
        # Django gives these handlers of its own, which redact nothing.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # These print whole addresses, which may hold user ids.
        "urllib3": {"level": "ERROR"},
        # Tells at DEBUG of every kind of hash that it knows, at each start.
        "passlib": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"filters": ["no-trace"]},
        # Four lines for every page that an editor publishes.
        "django_tasks": {"level": "WARNING"},
    }
    for channel, path in files.items():
        make_writable(path)
        own = "DEBUG" if channel in DETAILED else level
        loggers[channel] = {"handlers": [f"file-{channel}"], "level": own, "propagate": False}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": "config.redaction.OneLine",
                    "format": "{asctime} {levelname} {name}: {message}",
                    "style": "{",
                }
            },
            "filters": {"no-trace": {"()": "config.logging.NoTrace"}},
            "handlers": {
                "console": {"class": "logging.StreamHandler", "formatter": "line"},
                **{f"file-{channel}": file_handler(path) for channel, path in files.items()},
            },
            "loggers": loggers,
            "root": {"handlers": ["console"], "level": level},
        }
    )


def file_handler(path: Path) -> dict[str, Any]:
    return {
        # Notices when the file is rotated away.
        "class": "logging.handlers.WatchedFileHandler",
        "filename": str(path),
        "encoding": "utf-8",
        "formatter": "line",
        "delay": True,
    }


def channel_files(pairs: list[str], *, root: Path) -> dict[str, Path]:
    """``channel=path`` pairs under our names; raises ImproperlyConfigured."""
    found: dict[str, Path] = {}
    for pair in pairs:
        name, _, path = (part.strip() for part in pair.partition("="))
        channel = ALIASES.get(name, name)
        if channel not in CHANNELS or not path:
            known = ", ".join((*CHANNELS, *ALIASES))
            raise ImproperlyConfigured(
                f"LODESTAR_LOG_FILES must hold channel=path pairs; {pair!r} is none. Channels are {known}."
            )
        found[channel] = root / path
    return found


def make_writable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            pass
    except OSError as error:
        raise ImproperlyConfigured(
            f"LODESTAR_LOG_FILES: {path} cannot be written ({error.strerror})."
        ) from error
