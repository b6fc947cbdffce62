"""The reports in the archive (infra/archive.yaml), added up by Athena -> what functions used. The edge."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from time import sleep as wait
from typing import Any

import boto3
from botocore.client import BaseClient

from infra.aws.session import call, client, pages
from monitors import quotas
from monitors.cost import price
from monitors.errors import AwsError, InputError
from monitors.rightsize import questions
from monitors.rightsize.questions import Row
from monitors.rightsize.usage import Progress, Read, Usage, Use

DATABASE = WORK_GROUP = "lookout"
STOPPED_AT_BYTES = 100 * 2**30
"""What the work group lets a query read (infra/archive.yaml)."""
POLL_S = 1.0


def read(
    session: boto3.Session,
    _owners: Mapping[str, str],
    *,
    start_s: float,
    end_s: float,
    progress: Progress,
    say: Callable[[str], object],
    sleep: Callable[[float], object] = wait,
) -> Read:
    """What the archived reports say from `start_s` until `end_s` (epoch seconds), each counted once.

    `say` hears what it costs at most before it starts.

    Raises:
        AwsError: there is no archive, or a query failed.
        InputError: sqlglot, of the extra `engines`, is not there.
    """
    asked = [
        translated(questions.of_archive(question, start_s=start_s, end_s=end_s))
        for question in (questions.SQL_DURATIONS, questions.SQL_SANDBOXES)
    ]
    usd = len(asked) * price(1, quotas.ATHENA_SCANNED_TB) * STOPPED_AT_BYTES / 2**40
    say(f"Athena is asked twice about the archive: up to USD {usd:.2f} at the price of {quotas.PRICES_REGION}.")
    athena = client(session, "athena")
    usage: Usage = defaultdict(Use)
    for row in rows(athena, asked[0], sleep):
        questions.add_durations(usage[row["function_name"] or "", questions.memory_mb(row)], row)
    progress(1, len(asked))
    for row in rows(athena, asked[1], sleep):
        use = usage[row["function_name"] or "", questions.memory_mb(row)]
        questions.add_sandbox(use, row, stream=row["log_stream"] or "")
    progress(2, len(asked))
    return Read(usage, ())


def translated(sql: str) -> str:
    """The query in Athena's dialect instead of DuckDB's; InputError if sqlglot is not there."""
    try:
        from sqlglot import transpile
    except ImportError as error:
        raise InputError("The archive is read with sqlglot: pip install 'lambda-lookout[engines]'") from error
    (found,) = transpile(sql, read="duckdb", write="athena")
    return found


def rows(athena: BaseClient, query: str, sleep: Callable[[float], object], *, table: str = "records") -> Iterator[Row]:
    """The rows of a query of a table, by column.

    Raises:
        AwsError: Athena could not begin or end it.
    """
    asked = {"QueryString": query, "QueryExecutionContext": {"Database": DATABASE}, "WorkGroup": WORK_GROUP}
    try:
        started = call(athena, "StartQueryExecution", asked, target=f"work group {WORK_GROUP}")
    except AwsError as error:
        raise AwsError(f"{error} The archive is made by `lookout deploy --archive`.") from error.__cause__
    execution = {"QueryExecutionId": started["QueryExecutionId"]}
    status: dict[str, Any] = {"State": "QUEUED"}
    while status["State"] in ("QUEUED", "RUNNING"):
        sleep(POLL_S)
        status = call(athena, "GetQueryExecution", execution)["QueryExecution"]["Status"]
    if status["State"] != "SUCCEEDED":
        why = status.get("StateChangeReason") or "no reason given"
        raise AwsError(f"Athena's query of {DATABASE}.{table} ended as {status['State']}: {why}")
    found = (
        [datum.get("VarCharValue") for datum in row.get("Data", ())]
        for page in pages(athena, "GetQueryResults", execution)
        for row in page["ResultSet"]["Rows"]
    )
    columns = [str(name) for name in next(found, [])]
    for values in found:
        yield dict(zip(columns, values, strict=True))
