"""The documents are true: commands, settings, links and paths are those of the code, and no runbook is missing."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore import xform_name
from botocore.session import get_session

from infra.local.history.plants import planted
from lookout import cli
from lookout.commands.table import COMMANDS
from monitors.catalog.rows import Fixed, Health, Learned, Rule, Share
from monitors.catalog.tables import CATALOG
from monitors.model import MetricDefinition
from monitors.settings import Match, Override, Settings, Topics, parse

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "infra").rglob("*.md")),
)
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROWS: dict[str, Rule | Health] = {row.runbook or row.id: row for row in (*CATALOG.rules, *CATALOG.healths)}


class Found(NamedTuple):
    """A piece of a document, and which."""

    document: str
    text: str


def blocks(language: str) -> list[Found]:
    return [Found(name, body) for name, text in TEXTS.items() for kind, body in FENCE.findall(text) if kind == language]


def code_spans() -> list[Found]:
    return [
        Found(name, span) for name, text in TEXTS.items() for span in re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    ]


def titled(found: Found) -> str:
    return f"{found.document}: {found.text.strip()[:60]}"


# --- commands ------------------------------------------------------------------------------------


def commands(line: str) -> Iterator[list[str]]:
    """The arguments of every `lookout` in a line of shell, without what the shell itself takes away."""
    line = re.sub(r'"\$\((.*?)\)"', r"; \1 ;", line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    parts: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("|&;"):
            parts.append([])
        elif not set(word) <= set("<>"):
            parts[-1].append(word)
        else:
            parts.append(["file"])
    return (part[1:] for part in parts if part[:1] == ["lookout"])


SHELL = [Found(block.document, line) for block in blocks("sh") for line in block.text.splitlines()]
EXAMPLES = [Found(f"lookout {command.name} --help", example) for command in COMMANDS for example in command.examples]
TYPED = [Found(found.document, shlex.join(words)) for found in SHELL + EXAMPLES for words in commands(found.text)]
MENTIONED = [
    Found(span.document, span.text.partition(" ")[2]) for span in code_spans() if re.match(r"lookout [a-z-]", span.text)
]


def test_there_are_commands_to_check() -> None:
    """What follows would pass if the documents said nothing, or were not found."""
    assert {found.text.split()[0] for found in TYPED} == {command.name for command in COMMANDS}
    assert len(MENTIONED) > 20


@pytest.mark.parametrize("found", TYPED, ids=titled)
def test_commands_in_blocks_can_be_parsed(found: Found) -> None:
    assert cli._parser().parse_args(shlex.split(found.text)).run


@pytest.mark.parametrize("found", MENTIONED, ids=titled)
def test_commands_mentioned_exist(found: Found) -> None:
    """In a sentence a command may stand without what it needs, and `up|down` for either."""
    name, *rest = found.text.split()
    (command,) = [one for one in COMMANDS if one.name == name]
    flags = {flag for argument in command.arguments for flag in argument.flags}
    choices = {choice for argument in command.arguments for choice in argument.settings.get("choices") or ()}
    for word in rest:
        assert word in {*flags, "--help"} or not word.startswith("-")
        assert "|" not in word or set(word.split("|")) <= choices


def test_every_command_is_in_the_readme() -> None:
    listed = set(re.findall(r"^\| `lookout (\w+)` \|", TEXTS["README.md"], re.MULTILINE))
    assert listed == {command.name for command in COMMANDS}


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["sh", "-c", line], cwd=folder, env={"PATH": path}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("arguments", ["--help", "--version", *(f"{command.name} --help" for command in COMMANDS)])
def test_help_as_typed(arguments: str, tmp_path: Path) -> None:
    done = shell(f"lookout {arguments}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


OFFLINE = [found for found in SHELL if " lookout logs " in found.text and "--log-group" not in found.text]


def test_something_runs_without_an_account() -> None:
    assert OFFLINE


@pytest.mark.parametrize("found", OFFLINE, ids=titled)
def test_commands_that_need_no_account_run_as_typed(found: Found, tmp_path: Path) -> None:
    done = shell(found.text, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of 1 lines match" in done.stdout


TARGETS = sorted(
    {
        (name, target)
        for name, text in TEXTS.items()
        for target in re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)
    }
)


@pytest.mark.parametrize(("document", "target"), TARGETS)
def test_make_targets_exist(document: str, target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


AWS = sorted({(span.document, span.text) for span in code_spans() if span.text.startswith("aws ")})


@pytest.mark.parametrize(("document", "command"), AWS)
def test_aws_commands_exist(document: str, command: str) -> None:
    """Operation and options, held against the service models that the AWS CLI is made from."""
    _, service, operation, *rest = command.split()
    model = get_session().get_service_model(service)
    (called,) = [name for name in model.operation_names if xform_name(name, "-") == operation]
    shape = model.operation_model(called).input_shape
    known = {f"--{xform_name(member, '-')}" for member in shape.members} if shape else set()
    assert {word for word in rest if word.startswith("--")} <= known


# --- links, paths and numbers --------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Where a link may lead in a document: explicit anchors, and headings as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", re.sub(r"<[^>]*>", "", one)).strip().lower().replace(" ", "-") for one in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)"></a>', text))


LINKS = [
    Found(name, link) for name, text in TEXTS.items() for link in re.findall(r"\]\(([^)]+)\)", FENCE.sub("", text))
]


@pytest.mark.parametrize(
    "found", sorted({found for found in LINKS if not found.text.startswith("https://")}), ids=titled
)
def test_links_lead_somewhere(found: Found) -> None:
    path, _, anchor = found.text.partition("#")
    target = ((ROOT / found.document).parent / path).resolve() if path else ROOT / found.document
    assert target.exists()
    assert not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


PATHS = sorted(
    {
        Found(name, path.rstrip("./"))
        for name, text in TEXTS.items()
        for path in re.findall(
            r"(?<![\w./-])(?:monitors|subscribers|dashboards|infra|lookout|tests|docs|benchmarks|requirements|\.ci)"
            r"/[\w][\w./-]*",
            re.sub(r"https://\S+", "", text),
        )
    }
)


@pytest.mark.parametrize("found", PATHS, ids=titled)
def test_paths_exist(found: Found) -> None:
    assert (ROOT / found.text).exists()


FILES = sorted({span for span in code_spans() if re.fullmatch(r"[\w./-]+\.(py|md|toml|yaml|sh|lock)", span.text)})


@pytest.mark.parametrize("found", FILES, ids=titled)
def test_files_named_exist(found: Found) -> None:
    """From the root, or beside the document; lookout.toml is the user's, and has an example in the sample fleet."""
    beside = (ROOT / found.document).parent
    assert found.text == "lookout.toml" or (ROOT / found.text).exists() or (beside / found.text).exists()


NUMBERS = dict(enumerate(("eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"), start=8))


def test_the_readme_counts_right() -> None:
    functions = (ROOT / "infra/local/fleet/template.yaml").read_text().count("Type: AWS::Serverless::Function")
    text = " ".join(TEXTS["README.md"].split())
    assert f"{NUMBERS[functions]} Lambda functions" in text
    assert f"{NUMBERS[len(planted(end_s=0))]} things went wrong" in text


def test_records_named_exist() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "monitors").rglob("*.py"))
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", TEXTS["docs/architecture.md"]))
    assert {"Fleet", "Plan"} <= named
    assert named <= set(re.findall(r"^class (\w+)", source, re.MULTILINE))


def test_what_runs_in_lambda_is_told() -> None:
    template = (ROOT / "infra/template.yaml").read_text()
    for name in re.findall(r"(?:FunctionName|QueueName|TopicName): (lookout-[\w-]+)", template):
        assert f"`{name}`" in TEXTS["docs/architecture.md"]


# --- settings ------------------------------------------------------------------------------------

SETTINGS = TEXTS["docs/settings.md"]


@pytest.mark.parametrize("found", blocks("toml"), ids=titled)
def test_examples_of_settings_are_sound(found: Found) -> None:
    assert parse(found.text) != Settings()


def test_the_examples_hold_together() -> None:
    parse("\n".join(found.text for found in blocks("toml") if found.document == "docs/settings.md"))


def told_keys(heading: str) -> dict[str, Any]:
    """Key -> default, as the table below a heading has them."""
    section = re.split(r"^## ", SETTINGS, flags=re.MULTILINE)
    (body,) = [one for one in section if one.startswith(heading)]
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.+?)`|(\w+)) \|", body, re.MULTILINE)
    return {key: plain(tomllib.loads(f"x = {value}")["x"]) if value else word for key, value, word in rows}


def plain(value: Any) -> Any:
    """Tables and lists are told as empty, whatever record holds them."""
    return "empty" if value in ((), [], {}, Topics()) else value


def default(field: Any) -> Any:
    if field.default_factory is not MISSING:
        return plain(field.default_factory())
    return "required" if field.default is MISSING else "none" if field.default is None else plain(field.default)


@pytest.mark.parametrize(
    ("heading", "record"),
    [
        ("Top level", Settings),
        ("`[topics]`", Topics),
        ("`[rules.", Override),
        ("`[[match]]`", Match),
        ("`[[metrics]]`", MetricDefinition),
    ],
)
def test_every_key_is_told_with_its_default(heading: str, record: type[Any]) -> None:
    assert told_keys(heading) == {field.name: default(field) for field in fields(record)}


# --- runbooks ------------------------------------------------------------------------------------


def sections() -> dict[str, list[str]]:
    """Rule id -> paragraphs of its section."""
    parts = re.split(r'^### <a id="([^"]+)"></a>(.+)\n', TEXTS["docs/runbooks.md"], flags=re.MULTILINE)
    found = list(zip(parts[1::3], parts[2::3], parts[3::3], strict=True))
    assert all(anchor == heading for anchor, heading, _ in found)
    bodies = {anchor: body.partition("\n## ")[0] for anchor, _, body in found}
    assert len(bodies) == len(found)
    return {anchor: [" ".join(one.split()) for one in body.strip().split("\n\n")] for anchor, body in bodies.items()}


RUNBOOKS = sections()


def test_every_rule_has_a_runbook_and_every_runbook_a_rule() -> None:
    assert set(RUNBOOKS) == set(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_a_runbook_begins_with_what_the_row_says(row: str) -> None:
    assert RUNBOOKS[row][0] == f"**{ROWS[row].title}.** {ROWS[row].reason}"


@pytest.mark.parametrize("row", ROWS)
def test_a_runbook_says_what_to_do(row: str) -> None:
    (_, steps) = RUNBOOKS[row]
    assert re.fullmatch(r"- \*\*Look at:\*\* .+ - \*\*Usual causes:\*\* .+ - \*\*Do:\*\* .+", steps)


def levels(rule: Rule | Health) -> Iterator[float]:
    """Every number that a rule's levels are made of, and as a reader might put it: in percent, seconds, minutes."""
    for side in (rule.high, rule.low) if isinstance(rule, Rule) else ():
        parts = (side.default, side.cap) if isinstance(side, Learned) else (side,)
        for one in parts:
            value = one.value if isinstance(one, Fixed) else one.factor if isinstance(one, Share) else 0
            yield from (value, 100 * value, value / 60, value / 1000, value / 60_000)


@pytest.mark.parametrize("row", ROWS)
def test_a_runbook_repeats_no_level(row: str) -> None:
    """What to do stays true when a level or a period is changed in its row, or by a user."""
    told = {float(number.replace(",", "")) for number in re.findall(r"\d[\d,.]*\b", RUNBOOKS[row][1])}
    assert not told & {value for value in levels(ROWS[row]) if value}
    assert not re.search(r"\d ?%|\d of \d", RUNBOOKS[row][1])
