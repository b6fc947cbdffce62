"""Two questions to whatever has an account's spans: all there is to count of functions, and of calls. Pure.

FUNCTIONS and CALLS have answers with one row for each function (or call), and two texts made of one table: for
CloudWatch Logs Insights over `aws/spans`, and in SQL for a table of exported spans. A histogram could be added up over
windows, but has a hundred rows for each function; Insights answers with 10,000, and reads everything again for the next
ones. So each question is asked once about the whole of a window.

Fields are those that monitors/traces/otel.py reads. That Lambda's own spans of an `Initialization`, a `Restore` and an
`Attempt #n` name the function in their `resource`, as API Gateway's do, was not seen in an account.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

STEPS = 50
"""Bins to a factor of e in SQL: a percentile is a duration that was measured, up to 2 % above the exact one."""
LEVELS = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}
DAY_S = 86_400

# Column -> where a span has it, the preferred first; names without a place are those in _PATTERNS.
_WHOSE = (
    *("resource.attributes.faas.name", "attributes.faas.name", "deployed", "handled"),
    *("attributes.aws.local.service", "attributes.service.name", "resource.attributes.service.name"),
)
_SHARED = {
    "side": ("kind",),
    "form": ("_aws.xray.type",),
    "part": ("_aws.xray.name",),
    "outcome": ("status.code",),
}
_OF_FUNCTIONS = {
    **_SHARED,
    "whose": (*_WHOSE, "_aws.xray.name"),
    "origin": ("attributes.aws.xray.origin", "_aws.xray.origin"),
    "role": ("attributes.aws.span.kind",),
    "parent": ("parentSpanId",),
    "platform": ("resource.attributes.cloud.platform", "attributes.cloud.platform"),
    "runs_on": ("attributes.PlatformType",),
    "invocation": ("attributes.faas.invocation_id", "attributes.faas.execution"),
    "start": ("started",),
}
_OF_CALLS = {
    **_SHARED,
    "whose": _WHOSE,
    "called": (
        *("_aws.xray.name", "attributes.aws.remote.service", "attributes.peer.service", "attributes.aws.service"),
        *("attributes.db.namespace", "attributes.db.name", "attributes.rpc.service"),
        *("attributes.server.address", "attributes.http.host", "attributes.net.peer.name"),
    ),
    "invoked": ("attributes.aws.function_name", "attributes.faas.invoked_name"),
    "resource": (
        *("attributes.aws.table_name", "attributes.aws.table.name", "attributes.aws.queue_url"),
        *("attributes.aws.queue.url", "attributes.aws.sqs.queue.url", "attributes.messaging.url"),
        *("attributes.aws.bucket_name", "attributes.aws.s3.bucket", "attributes.aws.topic_arn"),
        *("attributes.aws.sns.topic.arn", "attributes.aws.stream_name", "attributes.aws.kinesis.stream_name"),
        *("attributes.aws.state_machine_arn", "attributes.aws.step_functions.state_machine.arn"),
    ),
    "identifier": ("attributes.aws.remote.resource.identifier", "attributes.messaging.destination.name"),
    "operation": (
        *("attributes.aws.operation", "attributes.rpc.method", "attributes.db.operation.name"),
        *("attributes.db.operation", "attributes.messaging.operation.name"),
    ),
    "method": ("attributes.http.request.method", "attributes.http.method", "attributes.aws.remote.operation"),
}
_CODE = ("attributes.http.response.status_code", "attributes.http.status_code")
# Of the whole message: what is only a part of a value, and a boolean, since nobody says how Insights shows those.
_PATTERNS = {
    "deployed": r'"(?:cloud\.resource_id|aws\.lambda\.invoked_arn)": *"arn:[^:"]*:lambda:[^:"]*:[^:"]*:function:'
    r'(?<deployed>[^:"]+)',
    "handled": r'"aws\.local\.operation": *"(?<handled>[^"]+)\/FunctionHandler"',
    "started": r'"faas\.coldstart": *(?<started>true)',
}

_NUMBER = '"?([0-9]+)'
# In SQL all are patterns: Athena and DuckDB, hence the embedded account, write paths in JSON differently.
_ABOVE = {
    "_aws.xray.": r'"xray": *\{[^{}]*',
    "status.": r'"status": *\{[^{}]*',
    "resource.attributes.": "",
    "attributes.": "",
    "": "",
}

# What follows from the columns, step by step, in words of both languages but for strcontains and quotes.
_STEPS = (
    {"whole": 'concat(form, " ", part)'},
    {
        "begun": 'strcontains(whole, "subsegment Initialization") + strcontains(whole, "subsegment Restore")',
        "tried": 'strcontains(whole, "subsegment Attempt #")',
        "fourth": "greatest(0, 1 - greatest(floor(code / 100) - 4, 4 - floor(code / 100)))",
        "fifth": "greatest(0, 1 - greatest(floor(code / 100) - 5, 5 - floor(code / 100)))",
        "throttled": "greatest(0, 1 - greatest(code - 429, 429 - code))",
        "failed": 'strcontains(outcome, "ERROR")',
    },
    {"fault": "greatest(fifth, failed * (1 - fourth))"},
)
_ADDED = {"faults": "fault", "errors": "fourth", "throttles": "throttled", "colds": "cold"}
_INVOCATIONS = """begun > 0 or tried > 0
    or ((form = "segment" or (form = "" and (side = "SERVER" or ((role = "LOCAL_ROOT" or parent = "")
    and not (side = "CLIENT" or side = "PRODUCER")))))
    and ((origin = "AWS::Lambda" and not (code = 202)) or origin = "AWS::Lambda::Function" or (origin = ""
    and (platform = "aws_lambda" or runs_on = "AWS::Lambda" or not (invocation = "")))))"""
_OUTGOING = '(side = "CLIENT" or side = "PRODUCER") and not (form = "segment")'


_STEP = "step{to} AS (SELECT *, {added} FROM step{of})"
_SQL = """WITH step0 AS (
  SELECT {texts}, coalesce({code}, 0) AS code, try_cast({took} AS DOUBLE) AS took
  FROM (SELECT DISTINCT message FROM spans WHERE day BETWEEN '{first_day}' AND '{last_day}') AS told
  WHERE try_cast({began} AS BIGINT) >= {start_ns} AND try_cast({began} AS BIGINT) < {end_ns}
), {steps}, binned AS (
  SELECT {keys}, ceil(ln(greatest(took, 1)) * {bins}) AS bin, count(*) AS spans, {added}, max(took) AS top
  FROM step{last}
  WHERE took >= 0 AND ({kept})
  GROUP BY {keys}, bin
), placed AS (
  SELECT *, sum(spans) OVER (PARTITION BY {keys} ORDER BY bin) AS upto, sum(spans) OVER (PARTITION BY {keys}) AS every
  FROM binned
)
SELECT {keys}, sum(spans) AS spans, {totals}, {shares}, max(top) AS worst
FROM placed
GROUP BY {keys}"""


class Question(NamedTuple):
    columns: Mapping[str, Sequence[str]]
    kept: str
    """Which spans it is about."""
    keys: Sequence[str]
    cold: str
    """1 for a span that says itself that it waited for its container."""


FUNCTIONS = Question(_OF_FUNCTIONS, _INVOCATIONS, ("whose", "origin", "tried", "begun"), 'strcontains(start, "true")')
CALLS = Question(
    _OF_CALLS, _OUTGOING, ("whose", "called", "invoked", "resource", "identifier", "operation", "method"), "0 * code"
)


def of_insights(question: Question) -> str:
    """The question to Logs Insights, rows of most spans first; durations in its answer are in nanoseconds.

    A name with more than letters, digits, @ and dots takes backticks (CloudWatch Logs User Guide, "Fields that contain
    special characters"). How exact Insights' percentiles are is not published.
    """
    columns = {name: f'coalesce({", ".join(map(_quoted, paths))}, "")' for name, paths in question.columns.items()}
    code = {"code": f"coalesce({', '.join(map(_quoted, _CODE))}, 0)"}
    steps = (columns | code, *_STEPS, {"cold": question.cold})
    shares = ", ".join(f"pct(durationNano, {100 * level:.0f}) as {name}" for name, level in LEVELS.items())
    added = ", ".join(f"sum({name}) as {total}" for total, name in _ADDED.items())
    commands = (
        "filter durationNano >= 0",
        *(f"parse @message /{pattern}/" for pattern in _PATTERNS.values()),
        *("fields " + ", ".join(f"{text} as {name}" for name, text in step.items()) for step in steps),
        f"filter {question.kept}",
        f"stats count(*) as spans, {added}, {shares}, max(durationNano) as worst by {', '.join(question.keys)}",
        "sort spans desc",
    )
    return "\n| ".join(commands)


def of_archive(question: Question, *, start_s: float, end_s: float) -> str:
    """The question in DuckDB's SQL, about spans that began from `start_s` until before `end_s` (epoch seconds).

    The table `spans` has a span's JSON in `message`, and in `day` (`2026-11-24`) that of its delivery, which may be the
    next. A span that is there twice counts once.
    """
    first, last = (datetime.fromtimestamp(at, UTC) for at in (start_s, end_s + DAY_S))
    texts = {name: f"coalesce({', '.join(map(_extracted, paths))}, '')" for name, paths in question.columns.items()}
    steps = [{name: _in_sql(text) for name, text in step.items()} for step in (*_STEPS, {"cold": question.cold})]
    return _SQL.format(
        texts=_selected(texts),
        code=", ".join(f"try_cast({_extracted(path, _NUMBER)} AS DOUBLE)" for path in _CODE),
        took=_extracted("durationNano", _NUMBER),
        began=_extracted("startTimeUnixNano", _NUMBER),
        first_day=f"{first:%Y-%m-%d}",
        last_day=f"{last:%Y-%m-%d}",
        start_ns=round(start_s * 1e9),
        end_ns=round(end_s * 1e9),
        steps=", ".join(_STEP.format(to=n + 1, added=_selected(step), of=n) for n, step in enumerate(steps)),
        last=len(steps),
        kept=_in_sql(question.kept),
        keys=", ".join(question.keys),
        bins=STEPS,
        added=", ".join(f"sum({name}) AS {total}" for total, name in _ADDED.items()),
        totals=", ".join(f"sum({total}) AS {total}" for total in _ADDED),
        shares=", ".join(f"min(CASE WHEN upto >= {share} * every THEN top END) AS {p}" for p, share in LEVELS.items()),
    )


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-zA-Z0-9.@]+", name) else f"`{name}`"


def _extracted(name: str, value: str = '"([^"]*)"') -> str:
    """What SQL calls a place in a span, of which `value` is the pattern."""
    above = next(above for above in _ABOVE if name.startswith(above))
    known = _PATTERNS.get(name, f'{_ABOVE[above]}"{re.escape(name.removeprefix(above))}": *{value}')
    pattern = re.sub(r"\?<\w+>", "", known).replace(r"\/", "/")
    return f"nullif(regexp_extract(message, '{pattern}', 1), '')"


def _selected(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{text} AS {name}" for name, text in columns.items())


def _in_sql(text: str) -> str:
    found = re.sub(r"strcontains\((\w+), (\"[^\"]*\")\)", r"CASE WHEN strpos(\1, \2) > 0 THEN 1 ELSE 0 END", text)
    return found.replace('"', "'")
