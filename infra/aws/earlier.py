"""The weekly memory reports that a bucket keeps: the newest before a day."""

import re

import boto3

from infra.aws.session import call, client, explaining, pages
from monitors.errors import AwsError, InputError
from monitors.rightsize.follow import Earlier, earlier

PREFIX = "20"
"""The reports lie under their days, `2026-11-24/memory.json`: of this century."""
_REPORT = re.compile(r"(\d{4}-\d\d-\d\d)/memory\.json")


def before(session: boto3.Session, bucket: str, day: str) -> tuple[Earlier | None, list[str]]:
    """What the newest report of an earlier day (`2026-11-24`, UTC) advised, None if there is none; and a sentence if
    it can't be read."""
    s3 = client(session, "s3")
    try:
        listed = pages(s3, "ListObjectsV2", {"Bucket": bucket, "Prefix": PREFIX}, target=f"{bucket}/{PREFIX}")
        keys = [one["Key"] for page in listed for one in page.get("Contents", ())]
        key = max((key for key in keys if (found := _REPORT.fullmatch(key)) and found[1] < day), default="")
        if not key:
            return None, []
        with explaining(s3, "GetObject", target=key):
            body = call(s3, "GetObject", {"Bucket": bucket, "Key": key}, target=key)["Body"].read()
        return earlier(body, key), []
    except (AwsError, InputError) as error:
        return None, [f"Last time's report not read: {error}"]
