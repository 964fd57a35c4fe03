"""The kinds of receivers. Importing this package registers those that are shipped."""

from __future__ import annotations

from cdp.activations.targets import cdp_api, csv_file, ibexa, webhook
from cdp.activations.targets.base import all_targets, find

__all__ = ["all_targets", "cdp_api", "csv_file", "find", "ibexa", "webhook"]
