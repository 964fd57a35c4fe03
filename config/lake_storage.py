"""Where the lake is kept, from the environment: a folder, or a bucket of an S3-compatible storage."""

from __future__ import annotations

import importlib.util
import os
import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

LAKE = "LODESTAR_LAKE_URL"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 60, 3
IN_MEMORY_BYTES = 8 * 1024 * 1024


def lake_storage(url: str) -> dict[str, Any]:
    """The entry ``lake`` of STORAGES for an address such as ``s3://bucket/prefix``, or a folder for "".

    Raises ImproperlyConfigured for another address and when the packages for S3 are not installed.
    """
    if not url:
        return {"BACKEND": "config.whole_files.LakeFolder"}
    parts = urlsplit(url)
    if parts.scheme != "s3" or not BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"{LAKE} must look like s3://bucket/prefix, or be empty; got {shown(url)!r}."
        )
    if not importlib.util.find_spec("storages") or not importlib.util.find_spec("boto3"):
        raise ImproperlyConfigured(f"{LAKE} needs the packages of `pip install 'lodestar[s3]'`.")
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": parts.path.strip("/"),
            "endpoint_url": endpoint() or None,
            "region_name": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None,
            "client_config": client_config(),
            "max_memory_size": IN_MEMORY_BYTES,
            "file_overwrite": True,
        },
    }


def shown(url: str) -> str:
    """The address without what may be a password."""
    return re.sub(r"//[^/@]*@", "//***@", url)[:100]


def endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def client_config() -> Any:
    from botocore.config import Config

    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        # A server of one's own seldom has a DNS name for each bucket, and not all know the newer checksums.
        s3={"addressing_style": "path" if endpoint() else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
