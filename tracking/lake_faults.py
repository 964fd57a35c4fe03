"""What may be wrong with the place of the lake, as a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from config.faults import Fault, disk_reason, is_full
from config.lake_storage import LAKE, endpoint
from tracking import lake_files

KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
REFUSED = {
    *("403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"),
    *("AuthorizationHeaderMalformed", "AccountProblem", "Forbidden"),
}
NO_BUCKET = {"NoSuchBucket", "404", "InvalidBucketName", "PermanentRedirect"}


@contextmanager
def reaching(*, lost: str) -> Iterator[None]:
    """Turn an error of the folder or of the bucket into a :class:`~config.faults.Fault`.

    ``lost`` begins the sentence and says what was not done.
    """
    try:
        yield
    except Fault:
        raise
    except Exception as error:
        reason = reason_of(error)
        if reason is None and (isinstance(error, OSError) or is_full(error)):
            reason = disk_reason(error, folder=lake_files.desk())
        if reason is None:
            raise
        raise Fault(f"{lost}: {reason}") from error


def reason_of(error: Exception) -> str | None:
    """Why a bucket did not do what it was asked; None for what has nothing to do with it."""
    if lake_files.in_folder():
        return None
    from boto3.exceptions import Boto3Error
    from botocore import exceptions

    if isinstance(error, Boto3Error) and isinstance(error.__context__, Exception):
        return reason_of(error.__context__)  # an upload wraps what went wrong
    if isinstance(error, exceptions.ClientError):
        return answered(error.response)
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return f"there are no credentials for {lake_files.address()}. Set {KEYS}."
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError | exceptions.NoRegionError):
        return (
            f"the storage of {lake_files.address()} cannot be reached at {endpoint() or 'its endpoint'} "
            f"({type(error).__name__}). Start it, or correct AWS_ENDPOINT_URL_S3 and AWS_REGION."
        )
    if isinstance(error, exceptions.BotoCoreError | Boto3Error):
        return f"the storage of {lake_files.address()} failed: {type(error).__name__}."
    return None


def answered(response: Any) -> str:
    code = str(response.get("Error", {}).get("Code", "?"))
    status = str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    where = lake_files.address()
    if code in REFUSED or status == "403":
        return (
            f"the storage of {where} refused the credentials ({code}). "
            f"Correct {KEYS}, or grant them the bucket."
        )
    if code in NO_BUCKET or status == "404":
        return f"there is no bucket for {where} ({code}). Create it, or correct {LAKE}."
    return f"the storage of {where} answered {code} (status {status})."
