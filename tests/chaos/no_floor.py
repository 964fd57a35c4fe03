"""The settings without the space that exports leave to the databases: only a really full disk stops them."""

from config.settings import *  # noqa: F403

DISK_FLOOR_BYTES = 0
