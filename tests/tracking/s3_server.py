"""A real HTTP server that speaks S3, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import requests

BUCKET = "events"


@contextmanager
def s3_server(port: int) -> Iterator[str]:
    """The address of a running server without buckets."""
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                requests.get(endpoint, timeout=10)
                break
            except requests.ConnectionError:
                assert process.poll() is None
                assert time.monotonic() < deadline, "the S3 server did not start"
                time.sleep(0.1)
        yield endpoint
    finally:
        process.terminate()
        process.wait(20)


def client(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="anybody",
        aws_secret_access_key="secret",
    )


def empty(endpoint: str) -> None:
    """Forget everything and make the bucket."""
    requests.post(f"{endpoint}/moto-api/reset", timeout=20)
    client(endpoint).create_bucket(Bucket=BUCKET)


def keys(endpoint: str) -> list[str]:
    pages = client(endpoint).get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return sorted(found["Key"] for page in pages for found in page.get("Contents", ()))
