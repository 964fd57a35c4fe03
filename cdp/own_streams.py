"""What an export has to know of the dataflows of this installation; neither part knows the other."""

from __future__ import annotations

from cdp.dataflows import stream_ids
from cdp.dataflows.configuration import load
from cdp.profiles import accounts


def overwrites(account_number: int, stream_id: str) -> bool:
    """Whether a run of this stream takes the place of what earlier runs brought."""
    account = accounts.find(account_number)
    dataflow = stream_ids.by_stream_id(account, stream_id) if account else None
    return dataflow is not None and any(
        mapping.write_mode == "overwrite" for mapping in load(dataflow.configuration).mappings
    )
