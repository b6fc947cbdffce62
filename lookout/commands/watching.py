"""The commands that say what is watched, and see to it: a row each."""

from lookout.commands.rows import FLEET, JSON, LEARN, REGIONS, SETTINGS, SINCE, TEMPLATES, Command, argument, span_s

WATCHING = (
    Command(
        "demo",
        "an embedded AWS account, a sample fleet with two weeks of history, everything, and a page to look at",
        "lookout.demo.run:run",
        (
            JSON,
            argument("-o", "--output", metavar="FOLDER", default="site", help="where the pages go (default: site)"),
            argument("--port", type=int, default=0, help="the account's port (default: any that is free)"),
            argument("--seed", type=int, default=7, help="seed of the generated history (default: %(default)s)"),
            argument("--no-open", action="store_true", help="don't open the page in a browser"),
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
            argument("--profile", action="append", metavar="NAME", help="an account to look at; may be repeated"),
            argument(
                "--role", action="append", metavar="ARN", help="an account to look at, in this role; may be repeated"
            ),
            argument("--external-id", default="", metavar="ID", help="what the roles ask for to be assumed"),
            argument(
                "--thorough",
                action="store_true",
                help="ask about every function and log group, even where there are more than 200 (slow)",
            ),
            argument("--diff", metavar="FILE", help="what is different from the fleet in this file"),
            JSON,
            argument("-o", "--output", metavar="FILE", help="write the fleet to a file"),
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
            argument("--resource", metavar="NAME", help="why the alarms of this resource are as they are"),
            argument("--schema", action="store_true", help="print the JSON schema of lookout.toml, for editors"),
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
            argument("-o", "--output", metavar="FOLDER", default="out", help="where to write (default: %(default)s)"),
            argument(
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
            argument(
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
            argument("--since", type=span_s, default="12h", metavar="SPAN", help="how far back (default: %(default)s)"),
            argument(
                "--function",
                action="append",
                metavar="NAME",
                help="draw this function's dashboard, of a fleet of more than 50; may be repeated",
            ),
            argument(
                "--format",
                choices=("html", "grafana"),
                default="html",
                help="pages with data, or dashboards for Grafana's CloudWatch data source (default: %(default)s)",
            ),
            argument("--serve", action="store_true", help="show them on this machine, with new data each minute"),
            argument("--port", type=int, default=8000, help="for --serve (default: %(default)s; 0 for any)"),
            argument("-o", "--output", metavar="FOLDER", default="site", help="where to write (default: %(default)s)"),
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
            argument("--page-email", default="", metavar="ADDRESS", help="whom to wake"),
            argument("--ticket-email", default="", metavar="ADDRESS", help="who hears what can wait"),
            argument("--architecture", choices=("arm64", "x86_64"), default="arm64"),
            argument(
                "--archive", action="store_true", help="also what keeps log rows in S3 for Athena (Firehose, Glue)"
            ),
            argument("--no-layer", action="store_true", help="the runtime has the dependencies: build no layer"),
        ),
        ("lookout deploy --page-email oncall@example.com",),
    ),
)
