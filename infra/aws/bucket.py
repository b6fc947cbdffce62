"""The bucket that code and large templates go through on their way into a stack."""

import hashlib

import boto3

from infra.aws.session import call, client, error_code, identity
from monitors.errors import AwsError

OWNED = ("BucketAlreadyOwnedByYou",)


def code_bucket(session: boto3.Session) -> str:
    """The name of this account's and Region's bucket for code, which is made (private, encrypted) if need be.

    Raises:
        AwsError: it cannot be made, or belongs to somebody else.
    """
    region = session.region_name
    name = f"lookout-code-{identity(session).account}-{region}"
    # us-east-1 is the one Region that S3 wants unsaid.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3 = client(session, "s3")
    try:
        call(s3, "CreateBucket", {"Bucket": name, **place}, target=name)
    except AwsError as error:
        if error_code(error) not in OWNED:
            raise
    return name


def upload(session: boto3.Session, bucket: str, data: bytes, *, key: str = "") -> str:
    """Put bytes into the bucket; their key, which is their hash unless one is given."""
    key = key or f"code/{hashlib.sha256(data).hexdigest()[:32]}.zip"
    call(client(session, "s3"), "PutObject", {"Bucket": bucket, "Key": key, "Body": data}, target=f"{bucket}/{key}")
    return key
