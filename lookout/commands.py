"""The command line as rows: what each command is called, takes, and which function runs it."""

from argparse import ArgumentTypeError
from typing import Any, NamedTuple


class Argument(NamedTuple):
    """One argument of a command: its flags, and what argparse is to know of it."""

    flags: tuple[str, ...]
    settings: dict[str, Any]


class Command(NamedTuple):
    """One command. `run` is imported only when it is called, so that help answers at once."""

    name: str
    help: str
    run: str
    """module:function"""
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def span_s(text: str) -> float:
    """`30m`, `1.5h`, `2d` -> seconds."""
    number, unit = text[:-1], _UNITS.get(text[-1:])
    if unit is None or not number.replace(".", "", 1).isdecimal():
        raise ArgumentTypeError(f"{text!r} is no span such as 30m, 1h or 2d")
    return float(number) * unit


def _argument(*flags: str, **settings: Any) -> Argument:
    return Argument(flags, settings)


JSON = _argument("--json", action="store_true", help="print the result as JSON")
FLEET = _argument("--fleet", metavar="FILE", help="a fleet file from `lookout survey -o`, instead of asking AWS")
SETTINGS = _argument("--settings", metavar="FILE", help="settings (default: lookout.toml, if it is there)")
TEMPLATES = (
    _argument(
        "--template",
        action="extend",
        nargs="+",
        metavar="PATH",
        help="what these SAM or CloudFormation templates, cdk.out or Serverless packages would make, instead of asking "
        "AWS",
    ),
    _argument(
        "--parameters",
        action="extend",
        nargs="+",
        metavar="NAME=VALUE",
        help="the templates' parameters, or a file of them: {NAME: VALUE}, or a list as for `aws cloudformation`",
    ),
)
REGIONS = _argument("--region", action="append", metavar="REGION", help="a Region to look at; may be repeated")
LEARN = _argument("--no-learn", action="store_true", help="levels from the catalog only, not from two weeks of history")
LOGS = _argument("files", nargs="*", metavar="FILE", help="log files, text or JSON lines, plain or .gz; - for stdin")
LOG_FOLDERS = _argument(
    "files",
    nargs="*",
    metavar="FILE",
    help="log files or folders of them, text or JSON lines, plain or .gz; - for stdin",
)
SINCE = _argument("--days", type=float, default=14.0, metavar="N", help="how far back to look (default: %(default)g)")
WINDOW = _argument(
    "--days",
    type=float,
    default=7.0,
    metavar="N",
    help="how far back to look; compared with as many days before (default: %(default)g)",
)
HTML = _argument("-o", "--output", metavar="FILE", help="write the report as a page (.html) or a table (.csv)")

COMMANDS = (
    Command(
        "demo",
        "an embedded AWS account, a sample fleet with two weeks of history, everything, and a page to look at",
        "lookout.demo.run:run",
        (
            JSON,
            _argument("-o", "--output", metavar="FOLDER", default="site", help="where the pages go (default: site)"),
            _argument("--port", type=int, default=0, help="the account's port (default: any that is free)"),
            _argument("--seed", type=int, default=7, help="seed of the generated history (default: %(default)s)"),
            _argument("--no-open", action="store_true", help="don't open the page in a browser"),
        ),
        ("lookout demo", "lookout demo --json | jq .fired"),
    ),
    Command(
        "survey",
        "what exists: every function and all that feeds it",
        "lookout.survey:run",
        (
            FLEET,
            *TEMPLATES,
            REGIONS,
            _argument("--profile", action="append", metavar="NAME", help="an account to look at; may be repeated"),
            _argument(
                "--role", action="append", metavar="ARN", help="an account to look at, in this role; may be repeated"
            ),
            _argument("--external-id", default="", metavar="ID", help="what the roles ask for to be assumed"),
            _argument(
                "--thorough",
                action="store_true",
                help="ask about every function and log group, even where there are more than 200 (slow)",
            ),
            _argument("--diff", metavar="FILE", help="what is different from the fleet in this file"),
            JSON,
            _argument("-o", "--output", metavar="FILE", help="write the fleet to a file"),
        ),
        (
            "lookout survey",
            "lookout survey --region eu-west-1 --region us-east-1 -o fleet.json",
            "lookout survey --diff fleet.json",
            "lookout survey --template template.yaml --parameters Stage=prod MemorySize=512",
            "lookout survey --profile shop --role arn:aws:iam::111122223333:role/audit --external-id lookout",
        ),
    ),
    Command(
        "plan",
        "what would be watched: alarms, filters, cost, coverage",
        "lookout.plan:run",
        (
            FLEET,
            *TEMPLATES,
            SETTINGS,
            REGIONS,
            LEARN,
            JSON,
            _argument("--resource", metavar="NAME", help="why the alarms of this resource are as they are"),
            _argument("--schema", action="store_true", help="print the JSON schema of lookout.toml, for editors"),
        ),
        (
            "lookout plan",
            "lookout plan --fleet fleet.json --json",
            "lookout plan --resource shop-payments",
            "lookout plan --schema > lookout.schema.json",
        ),
    ),
    Command(
        "audit",
        "what is not covered, what can never fire, and where the account is not as planned",
        "lookout.audit:run",
        (FLEET, *TEMPLATES, SETTINGS, REGIONS, LEARN, JSON),
        ("lookout audit", "lookout audit --template template.yaml --json"),
    ),
    Command(
        "learn",
        "levels from each metric's own history",
        "lookout.learn:run",
        (FLEET, *TEMPLATES, SETTINGS, REGIONS, SINCE, JSON),
        ("lookout learn", "lookout learn --days 28 --json"),
    ),
    Command(
        "backtest",
        "when the plan's alarms would have been on in the past weeks",
        "lookout.backtest:run",
        (FLEET, *TEMPLATES, SETTINGS, REGIONS, LEARN, SINCE, JSON),
        ("lookout backtest", "lookout backtest --days 28", "lookout backtest --json"),
    ),
    Command(
        "render",
        "the plan as CloudFormation templates, dashboards included",
        "lookout.stacks:render",
        (
            FLEET,
            *TEMPLATES,
            SETTINGS,
            REGIONS,
            LEARN,
            _argument("-o", "--output", metavar="FOLDER", default="out", help="where to write (default: %(default)s)"),
            _argument(
                "--merge",
                action="store_true",
                help="write the one --template with the alarms in it, so that both are deployed together",
            ),
        ),
        ("lookout render -o out/", "lookout render --template template.yaml --merge"),
    ),
    Command(
        "apply",
        "deploy the plan with change sets; safe to stop and run again",
        "lookout.stacks:apply",
        (
            _argument(
                "rendered", nargs="?", metavar="FOLDER", help="what `lookout render` wrote, instead of planning anew"
            ),
            FLEET,
            *TEMPLATES,
            SETTINGS,
            REGIONS,
            LEARN,
        ),
        ("lookout apply", "lookout render -o out/ && lookout apply out/"),
    ),
    Command(
        "dashboards",
        "the generated dashboards with their data, as pages to open in a browser",
        "lookout.dashboards:run",
        (
            FLEET,
            SETTINGS,
            REGIONS,
            LEARN,
            _argument(
                "--since", type=span_s, default="12h", metavar="SPAN", help="how far back (default: %(default)s)"
            ),
            _argument(
                "--function",
                action="append",
                metavar="NAME",
                help="draw this function's dashboard, of a fleet of more than 50; may be repeated",
            ),
            _argument(
                "--format",
                choices=("html", "grafana"),
                default="html",
                help="pages with data, or dashboards for Grafana's CloudWatch data source (default: %(default)s)",
            ),
            _argument("--serve", action="store_true", help="show them on this machine, with new data each minute"),
            _argument("--port", type=int, default=8000, help="for --serve (default: %(default)s; 0 for any)"),
            _argument("-o", "--output", metavar="FOLDER", default="site", help="where to write (default: %(default)s)"),
        ),
        (
            "lookout dashboards",
            "lookout dashboards --function shop-payments --since 3h",
            "lookout dashboards --serve",
            "lookout dashboards --format grafana -o grafana/",
        ),
    ),
    Command(
        "deploy",
        "the toolkit's own Lambdas, topics and report bucket into this account and Region",
        "lookout.deploy:run",
        (
            SETTINGS,
            _argument("--page-email", default="", metavar="ADDRESS", help="whom to wake"),
            _argument("--ticket-email", default="", metavar="ADDRESS", help="who hears what can wait"),
            _argument("--architecture", choices=("arm64", "x86_64"), default="arm64"),
            _argument(
                "--archive", action="store_true", help="also what keeps log rows in S3 for Athena (Firehose, Glue)"
            ),
            _argument("--no-layer", action="store_true", help="the runtime has the dependencies: build no layer"),
        ),
        ("lookout deploy --page-email oncall@example.com",),
    ),
    Command(
        "logs",
        "try a metric definition on log lines: what matches, what value comes out",
        "lookout.logs:run",
        (
            _argument("--pattern", required=True, metavar="PATTERN", help="a CloudWatch Logs filter pattern"),
            _argument("--value", default="1", metavar="SELECTOR", help="$.field, $name, $1 or a number (default: 1)"),
            _argument("--log-group", metavar="NAME", help="read this log group, instead of stdin"),
            _argument("--since", type=span_s, default="1h", metavar="SPAN", help="how far back (default: %(default)s)"),
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
            _argument("--queue", default="", metavar="URL", help="another queue (default: the log subscriber's own)"),
            _argument("--limit", type=int, metavar="N", help="try so many batches at most"),
            _argument("--dry-run", action="store_true", help="say how many wait, and send none"),
            JSON,
        ),
        ("lookout replay --dry-run", "lookout replay --limit 10"),
    ),
    Command(
        "traces",
        "latency report from X-Ray, or from exported trace documents",
        "lookout.traces:traces",
        (
            _argument(
                "--file", action="append", metavar="FILE", help="exported traces (.json, .jsonl, .gz), not X-Ray"
            ),
            _argument(
                "--before",
                action="append",
                metavar="FILE",
                help="exported traces of the window before --file's",
            ),
            _argument(
                "--per-trace",
                metavar="FILE",
                help="also write a line of JSON for each trace of --file: phases, critical path, cold starts, repairs",
            ),
            _argument(
                "--plan",
                action="store_true",
                help="say what reading from X-Ray would take: calls, time, USD; read nothing",
            ),
            _argument(
                "--resume",
                metavar="FILE",
                help="keep each trace read from X-Ray there, and go on where a run was stopped",
            ),
            _argument(
                "--history", metavar="FOLDER", help="keep this window there, and tell the trend of the last 13 weeks"
            ),
            _argument(
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
            "lookout traces --file traces.json --per-trace phases.jsonl",
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
            _argument("--days", type=float, metavar="N", help="how far back to look (default: 14)"),
            _argument(
                "--history",
                metavar="FOLDER",
                help="keep each day there, as Parquet, and read no day or file again; such a folder may stand for FILE",
            ),
            _argument(
                "--engine",
                choices=("logs", "insights", "athena"),
                default="logs",
                help="what reads an account: each report line (free, slow for millions), Logs Insights, or Athena for "
                "the archive; these two say first what they cost (default: %(default)s)",
            ),
            _argument("--region", metavar="REGION", help="whose prices to use for log files (default: us-east-1)"),
            _argument(
                "--architecture", choices=("x86_64", "arm64"), help="of the functions in log files (default: x86_64)"
            ),
            _argument(
                "--patch",
                action="append",
                metavar="FILE",
                help="print the advice as a patch of this SAM, CloudFormation, Serverless, Terraform or CDK file",
            ),
            _argument(
                "--apply",
                action="store_true",
                help="write what --patch would print into the files; the originals stay beside them as .orig, and "
                "rightsize-rollback.patch undoes it",
            ),
            _argument(
                "--tuned",
                action="append",
                metavar="FUNCTION=FILE",
                help="what AWS Lambda Power Tuning measured, its JSON output or visualization URL",
            ),
            _argument(
                "--power-tuning",
                metavar="FUNCTION",
                help="measure: invoke this function of the account at several memory sizes; says first what it does "
                "and costs, and asks",
            ),
            _argument("--payload", metavar="FILE", help="for --power-tuning: the JSON to invoke with (default: {})"),
            _argument(
                "--at-most",
                type=float,
                metavar="USD",
                help="for --power-tuning: begin no size that would take the cost beyond (default: 0.10)",
            ),
            _argument("--yes", action="store_true", help="for --power-tuning: invoke without asking"),
            _argument("--before", metavar="FILE", help="tell what became of the advice in an earlier --json"),
            _argument(
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
            _argument("action", choices=("up", "down", "status")),
            _argument("--port", type=int, default=4566, help="0 for any free one (default: %(default)s)"),
            JSON,
        ),
        ("lookout local up", 'eval "$(lookout local status)" && aws lambda list-functions'),
    ),
)
