"""The commands that read logs, traces and failed batches, and the embedded account: a row each."""

from lookout.commands.rows import HTML, JSON, LOG_FOLDERS, WINDOW, Command, argument, span_s

READING = (
    Command(
        "logs",
        "try a metric definition on log lines: what matches, what value comes out",
        "lookout.logs:run",
        (
            argument("--pattern", required=True, metavar="PATTERN", help="a CloudWatch Logs filter pattern"),
            argument("--value", default="1", metavar="SELECTOR", help="$.field, $name, $1 or a number (default: 1)"),
            argument("--log-group", metavar="NAME", help="read this log group, instead of stdin"),
            argument("--since", type=span_s, default="1h", metavar="SPAN", help="how far back (default: %(default)s)"),
            JSON,
        ),
        (
            "lookout logs --pattern '{ $.event = \"payment\" }' --value '$.amount' < lines.txt",
            "lookout logs --pattern '?ERROR ?\"Task timed out\"' --log-group /aws/lambda/shop-payments --since 2d",
        ),
    ),
    Command(
        "replay",
        "send failed log batches through the log subscriber again",
        "lookout.replay:run",
        (
            argument("--queue", default="", metavar="URL", help="another queue (default: the log subscriber's own)"),
            argument("--limit", type=int, metavar="N", help="try so many batches at most"),
            argument("--dry-run", action="store_true", help="say how many wait, and send none"),
            JSON,
        ),
        ("lookout replay --dry-run", "lookout replay --limit 10"),
    ),
    Command(
        "traces",
        "latency report from X-Ray, or from exported trace documents",
        "lookout.traces:traces",
        (
            argument(
                "--file",
                action="extend",
                nargs="+",
                metavar="FILE",
                help="exported traces (.json, .jsonl, .gz; - for stdin), not X-Ray",
            ),
            argument(
                "--before",
                action="extend",
                nargs="+",
                metavar="FILE",
                help="exported traces of the window before --file's",
            ),
            argument(
                "--per-trace",
                metavar="FILE",
                help="also write a line of JSON for each trace of --file: phases, critical path, cold starts, repairs",
            ),
            argument(
                "--plan",
                action="store_true",
                help="say what reading from X-Ray would take: calls, time, USD; read nothing",
            ),
            argument(
                "--resume",
                metavar="FILE",
                help="keep each trace read from X-Ray there, and go on where a run was stopped",
            ),
            argument(
                "--history", metavar="FOLDER", help="keep this window there, and tell the trend of the last 13 weeks"
            ),
            argument(
                "--engine",
                choices=("insights", "athena"),
                help="with Transaction Search: counts all spans, whatever it costs (default: insights up to USD 1)",
            ),
            WINDOW,
            HTML,
            JSON,
        ),
        (
            "lookout traces",
            "lookout traces --plan",
            "lookout traces --resume traces.jsonl",
            "lookout traces --file traces.jsonl.gz -o latency.html",
            "lookout traces --file exports/*.json.gz --per-trace phases.jsonl",
            "lookout traces --file this-week.jsonl.gz --before last-week.jsonl.gz",
            "lookout traces --history latency-history -o latency.html",
            "lookout traces --engine insights",
        ),
    ),
    Command(
        "rightsize",
        "memory report from log files or log groups",
        "lookout.rightsize:rightsize",
        (
            LOG_FOLDERS,
            argument("--days", type=float, metavar="N", help="how far back to look (default: 14)"),
            argument(
                "--history",
                metavar="FOLDER",
                help="keep each day there, as Parquet, and read no day or file again; such a folder may stand for FILE",
            ),
            argument(
                "--engine",
                choices=("logs", "insights", "athena"),
                default="logs",
                help="what reads an account: each report line (free, slow for millions), Logs Insights, or Athena for "
                "the archive; these two say first what they cost (default: %(default)s)",
            ),
            argument("--region", metavar="REGION", help="whose prices to use for log files (default: us-east-1)"),
            argument(
                "--architecture", choices=("x86_64", "arm64"), help="of the functions in log files (default: x86_64)"
            ),
            argument(
                "--patch",
                action="append",
                metavar="FILE",
                help="print the advice as a patch of this SAM, CloudFormation, Serverless, Terraform or CDK file",
            ),
            argument(
                "--apply",
                action="store_true",
                help="write what --patch would print into the files; the originals stay beside them as .orig, and "
                "rightsize-rollback.patch undoes it",
            ),
            argument(
                "--tuned",
                action="append",
                metavar="FUNCTION=FILE",
                help="what AWS Lambda Power Tuning measured, its JSON output or visualization URL",
            ),
            argument(
                "--power-tuning",
                metavar="FUNCTION",
                help="measure: invoke this function of the account at several memory sizes; says first what it does "
                "and costs, and asks",
            ),
            argument("--payload", metavar="FILE", help="for --power-tuning: the JSON to invoke with (default: {})"),
            argument(
                "--at-most",
                type=float,
                metavar="USD",
                help="for --power-tuning: begin no size that would take the cost beyond (default: 0.10)",
            ),
            argument("--yes", action="store_true", help="for --power-tuning: invoke without asking"),
            argument("--before", metavar="FILE", help="tell what became of the advice in an earlier --json"),
            argument(
                "--prices",
                metavar="FILE",
                help="count with the prices in this CSV: region,arch,usd_per_gb_second_tier1,usd_per_1m_requests",
            ),
            HTML,
            JSON,
        ),
        (
            "lookout rightsize",
            "lookout rightsize --engine insights",
            "lookout rightsize logs/ -o memory.html",
            "aws s3 sync s3://bucket/exportedlogs shop-orders && lookout rightsize shop-orders --architecture arm64",
            "lookout rightsize logs/ --tuned shop-orders=power-tuning.json",
            "lookout rightsize --power-tuning shop-orders --payload event.json --at-most 0.05",
            "lookout rightsize --patch template.yaml | git apply",
            "lookout rightsize --patch lib/shop-stack.ts --apply",
            "lookout rightsize --history memory-history --days 91",
            "lookout rightsize --before last-week.json --json > this-week.json",
        ),
    ),
    Command(
        "local",
        "run the embedded account by hand",
        "lookout.local:run",
        (
            argument("action", choices=("up", "down", "status")),
            argument("--port", type=int, default=4566, help="0 for any free one (default: %(default)s)"),
            JSON,
        ),
        ("lookout local up", 'eval "$(lookout local status)" && aws lambda list-functions'),
    ),
)
