"""What a row of the command line is made of, and the arguments that several commands take."""

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


MOST_DAYS = 455
"""CloudWatch keeps metrics for 15 months (CloudWatch User Guide, "Metrics retention"), and X-Ray traces for one."""


def days(text: str) -> float:
    """`14`, `0.5` -> days."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= MOST_DAYS:
        raise ArgumentTypeError(f"{text!r} is no number of days above 0 and of {MOST_DAYS} at most")
    return number


def argument(*flags: str, **settings: Any) -> Argument:
    """As argparse would add it."""
    return Argument(flags, settings)


JSON = argument("--json", action="store_true", help="print the result as JSON")
FLEET = argument("--fleet", metavar="FILE", help="a fleet file from `lookout survey -o`, instead of asking AWS")
SETTINGS = argument("--settings", metavar="FILE", help="settings (default: lookout.toml, if it is there)")
TEMPLATES = (
    argument(
        "--template",
        action="extend",
        nargs="+",
        metavar="PATH",
        help="what these SAM or CloudFormation templates, cdk.out or Serverless packages would make, instead of asking "
        "AWS",
    ),
    argument(
        "--parameters",
        action="extend",
        nargs="+",
        metavar="NAME=VALUE",
        help="the templates' parameters, or a file of them: {NAME: VALUE}, or a list as for `aws cloudformation`",
    ),
)
REGIONS = argument("--region", action="append", metavar="REGION", help="a Region to look at; may be repeated")
LEARN = argument("--no-learn", action="store_true", help="levels from the catalog only, not from two weeks of history")
LOG_FOLDERS = argument(
    "files",
    nargs="*",
    metavar="FILE",
    help="log files or folders of them, text or JSON lines, plain or .gz; - for stdin",
)
SINCE = argument("--days", type=days, default=14.0, metavar="N", help="how far back to look (default: %(default)g)")
WINDOW = argument(
    "--days",
    type=days,
    default=7.0,
    metavar="N",
    help="how far back to look; compared with as many days before (default: %(default)g)",
)
HTML = argument("-o", "--output", metavar="FILE", help="write the report as a page (.html) or a table (.csv)")
