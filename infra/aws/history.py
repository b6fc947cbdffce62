"""The weeks of latency that a bucket keeps, one object each."""

import boto3

from infra.aws.session import call, client, explaining, pages
from monitors.errors import AwsError, InputError
from monitors.traces import history
from monitors.traces.history import Week

PREFIX = "history/"


def keep(session: boto3.Session, bucket: str, week: Week) -> str:
    """Put the week into the bucket, in place of the one that began on the same day if there is one; its key.

    AwsError if it can't be put.
    """
    key = PREFIX + history.file_name(week)
    put = {"Bucket": bucket, "Key": key, "Body": history.to_text(week).encode(), "ContentType": "application/json"}
    call(client(session, "s3"), "PutObject", put, target=key)
    return key


def weeks(session: boto3.Session, bucket: str) -> tuple[list[Week], list[str]]:
    """The weeks that a trend needs, and a sentence for each that can't be read, or for all if they can't be listed."""
    s3 = client(session, "s3")
    found: list[Week] = []
    trouble: list[str] = []
    try:
        listed = pages(s3, "ListObjectsV2", {"Bucket": bucket, "Prefix": PREFIX}, target=f"{bucket}/{PREFIX}")
        keys = [one["Key"].removeprefix(PREFIX) for page in listed for one in page.get("Contents", ())]
    except AwsError as error:
        return [], [f"Earlier weeks not read: {error}"]
    for name in history.recent(keys):
        key = PREFIX + name
        try:
            with explaining(s3, "GetObject", target=key):
                body = call(s3, "GetObject", {"Bucket": bucket, "Key": key}, target=key)["Body"].read()
            found.append(history.from_text(body, key))
        except (AwsError, InputError) as error:
            trouble.append(f"Earlier week not read: {error}")
    return found, trouble
