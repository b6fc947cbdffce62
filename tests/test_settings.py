"""lookout.toml: what it may say, and that every mistake is told at once, with its place."""

import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.errors import SettingsError
from monitors.model import MetricDefinition, Severity
from monitors.settings import Match, Override, Settings, Topics, fits, parse
from tests.fleets import function

FULL = """\
runbooks = "https://wiki.example.com/lookout"

[topics]
page = "arn:aws:sns:eu-west-1:123456789012:page"
ticket = "arn:aws:sns:eu-west-1:123456789012:ticket"

[rules."lambda.errors"]
high = 2.5
datapoints = 3
periods = 5
severity = "ticket"

[rules."logs.emf_errors"]
enabled = true

[[metrics]]
name = "OrderValue"
pattern = '{ $.event = "order" }'
value = "$.total"
unit = "None"
dimensions = { Currency = "$.currency" }
log_groups = "/aws/lambda/shop-*"

[[match]]
name = "shop-*"
tags = { team = "checkout" }
[match.rules."lambda.errors"]
high = 10

[[match]]
service = "s3"
mute = true
"""

FOUR_DIMENSIONS = 'dimensions = { A = "$.a", B = "$.b", C = "$.c", D = "$.d" }\n'


def mistakes(text: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        parse(text)
    return str(raised.value).splitlines()


def test_everything_that_can_be_said() -> None:
    assert parse(FULL) == Settings(
        runbooks="https://wiki.example.com/lookout",
        topics=Topics(
            page="arn:aws:sns:eu-west-1:123456789012:page", ticket="arn:aws:sns:eu-west-1:123456789012:ticket"
        ),
        rules={
            "lambda.errors": Override(high=2.5, datapoints=3, periods=5, severity=Severity.TICKET),
            "logs.emf_errors": Override(enabled=True),
        },
        metrics=(
            MetricDefinition(
                name="OrderValue",
                pattern='{ $.event = "order" }',
                value="$.total",
                unit="None",
                dimensions=(("Currency", "$.currency"),),
                log_groups="/aws/lambda/shop-*",
            ),
        ),
        match=(
            Match(name="shop-*", tags={"team": "checkout"}, rules={"lambda.errors": Override(high=10)}),
            Match(service="s3", mute=True),
        ),
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\n\n"])
def test_an_empty_file_is_a_good_start(text: str) -> None:
    assert parse(text) == Settings()


def test_every_mistake_at_once_in_the_order_of_the_file() -> None:
    found = mistakes(
        """\
[topics]
page = "my-topic"

[rules."lambda.eror"]
high = 5

[rules."lambda.errors"]
hgih = 3
low = "much"

[[metrics]]
name = "Orders"
pattern = "{ $.a"

[[metrics]]
name = "Re:funds"
pattern = "{ $.a = 1 }"
unit = "count"

[[match]]
mute = true
"""
    )
    assert [line.split(": ")[0:2] for line in found] == [
        ["lookout.toml:2", "topics.page"],
        ["lookout.toml:4", 'rules."lambda.eror"'],
        ["lookout.toml:8", 'rules."lambda.errors".hgih'],
        ["lookout.toml:9", 'rules."lambda.errors".low'],
        ["lookout.toml:13", "metrics[0].pattern"],
        ["lookout.toml:16", "metrics[1].name"],
        ["lookout.toml:18", "metrics[1].unit"],
        ["lookout.toml:20", "match[0]"],
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('[rules."lambda.eror"]\n', "did you mean lambda.errors?"),
        ('[rules."sqs.zzz"]\n', "there are sqs.age"),
        ("[topic]\n", "did you mean topics?"),
        ("[topics]\npages = ''\n", "did you mean page?"),
        ('[rules."lambda.errors"]\nsevrity = "page"\n', "did you mean severity?"),
        ('[rules."lambda.errors"]\nseverity = "wake"\n', "'page' or 'ticket'"),
        ('[[metrics]]\npattern = ""\n', "is missing"),
        ('[[metrics]]\nname = "A"\npattern = ""\nunit = "percent"\n', "did you mean Percent?"),
        ('[[match]]\nservice = "lamda"\n', "did you mean lambda?"),
        ('[[match]]\nname = "a"\nrules."lambda.errors".higher = 1\n', "did you mean high?"),
        ('[[match]]\nname = "a"\nrules."lambda.error".high = 1\n', "did you mean lambda.errors?"),
    ],
)
def test_the_nearest_valid_name_is_offered(text: str, hint: str) -> None:
    (line,) = mistakes(text)
    assert hint in line


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[rules."lambda.errors"]\ndatapoints = 4\nperiods = 3\n', "datapoints"),
        ('[rules."lambda.errors"]\ndatapoints = 0\n', "datapoints"),
        ('[rules."lambda.errors"]\nperiods = 300\n', "periods"),  # 300 x 300 s is more than a day
        ('[rules."lambda.errors"]\nhigh = nan\n', "high"),
        ('[rules."lambda.errors"]\nhigh = inf\n', "high"),
        ('[rules."lambda.errors"]\nhigh = true\n', "high"),
        ('[rules."lambda.errors"]\nenabled = "yes"\n', "enabled"),
        ('[[metrics]]\nname = "A"\npattern = "x"\nvalue = "$.a"\n', "value"),  # terms extract nothing
        ('[[metrics]]\nname = "A"\npattern = "{ $.a = 1 }"\ndefault = 0\ndimensions = { B = "$.b" }\n', "default"),
        (f'[[metrics]]\nname = "A"\npattern = "{{ $.a = 1 }}"\n{FOUR_DIMENSIONS}', "dimensions"),
        ("metrics = 1\n", "metrics"),
        ("rules = []\n", "rules"),
        ("[match]\nname = 'a'\n", "match"),
        ("topics = 2026-01-01\n", "topics"),
    ],
)
def test_what_aws_or_sense_forbids(text: str, key: str) -> None:
    assert any(f"{key}: " in line for line in mistakes(text))


def test_datapoints_alone_take_the_periods_along() -> None:
    assert parse('[rules."lambda.errors"]\ndatapoints = 4\n').rules["lambda.errors"].datapoints == 4


def test_no_toml_has_its_line_too() -> None:
    (line,) = mistakes("[topics]\npage = \n")
    assert line.startswith("lookout.toml:2: not TOML")


@given(st.text(max_size=200) | st.lists(st.sampled_from(FULL.splitlines()), max_size=12).map("\n".join))
def test_whatever_it_says_only_our_own_error_comes(text: str) -> None:
    with suppress(SettingsError):
        assert isinstance(parse(text), Settings)


@pytest.mark.parametrize("text", ["a = " + "[" * 5_000, "a = " + "9" * 5_000, "a = '\\u0000'\n", "\x00"])
def test_hostile_toml_is_refused_like_any_other(text: str) -> None:
    assert mistakes(text)[0].startswith("lookout.toml:")


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(name="shop-*"), True),
        (Match(name="pay-*"), False),
        (Match(service="lambda"), True),
        (Match(service="sqs"), False),
        (Match(tags={"team": "check*"}), True),
        (Match(tags={"team": "check*", "env": "prod"}), False),
    ],
)
def test_a_match_fits_what_all_of_it_fits(match: Match, expected: bool) -> None:
    assert fits(match, function("shop-orders", tags={"team": "checkout"})) is expected


def test_planning_does_without_pydantic() -> None:
    loaded = "import sys, monitors.plan; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
