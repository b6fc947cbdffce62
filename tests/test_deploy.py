"""The toolkit's own stack: a zip that Lambda can run, and a template that AWS takes and people can live with."""

import io
import json
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped] # cfn-lint says nothing of its types

from infra import deploy as deployment
from infra.templates.parsing import parse
from infra.zips import zip_files
from lookout.deploy import _arm64, _definitions
from monitors.errors import AwsError, InputError, LookoutError
from monitors.logdefinitions import definitions
from monitors.model import Fleet, MetricDefinition, Resource
from monitors.names import ARCHIVE, STACK
from tests.aws import meta
from tests.cloudformation import Session, error, stack

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = parse(deployment.template(), "template")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
FUNCTIONS = {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == "AWS::Serverless::Function"}
RUNTIME_HAS = ("boto3",)
"""What Lambda's Python runtimes carry themselves (AWS Lambda Developer Guide, "Python")."""


def handlers() -> list[str]:
    return sorted(one["Handler"] for one in FUNCTIONS.values())


@pytest.fixture(scope="module")
def names() -> list[str]:
    return zipfile.ZipFile(io.BytesIO(deployment.code_zip())).namelist()


# --- the code ----------------------------------------------------------------------------------------


def test_the_zip_holds_the_toolkit_and_nothing_of_the_embedded_account(names: list[str]) -> None:
    assert {name.partition("/")[0] for name in names} == {"dashboards", "infra", "monitors", "subscribers"}
    assert not [name for name in names if name.startswith("infra/local") or "__pycache__" in name]
    assert {"infra/template.yaml", "dashboards/templates/base.html", "subscribers/templates/alarm.txt.j2"} <= {*names}


def test_the_zip_fits_lambda(names: list[str]) -> None:
    """50 MB zipped for direct upload, 250 MB unzipped with layers (Lambda quotas); ours should be far from both."""
    data = deployment.code_zip()
    assert len(data) < 1_000_000
    assert sum(one.file_size for one in zipfile.ZipFile(io.BytesIO(data)).infolist()) < 5_000_000
    assert len({*names}) == len(names)


def distributions(*roots: str) -> set[str]:
    """The distributions, and all that they need in turn."""
    found: set[str] = set()
    waiting = [*roots]
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            needed = (line for line in metadata.requires(name) or () if "extra ==" not in line)
            waiting += [each for line in needed if (each := requirement(line)) and installed(each)]
    return found


def requirement(line: str) -> str:
    """`aiohttp>=3 ; python_version < "4"` -> aiohttp."""
    return next(iter("".join(c if c.isalnum() or c in "-_." else " " for c in line).split()))


def installed(name: str) -> bool:
    """What a marker of another platform asks for is not here."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def modules(names: set[str]) -> set[str]:
    """The top-level modules that the distributions bring."""
    by_module = metadata.packages_distributions()
    return {
        module for module, owners in by_module.items() if {each.lower().replace("_", "-") for each in owners} & names
    }


CHECK = """
import ast, importlib, sys
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
code, allowed, handlers = sys.argv[1], set(sys.argv[2].split(",")), sys.argv[3].split(",")

class Only(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        known = name.partition(".")[0] in allowed | sys.stdlib_module_names
        return super().find_spec(name, path, target) if known else None

def imports(file):
    with open(file) as source:
        for node in ast.walk(ast.parse(source.read())):
            if isinstance(node, ast.Import):
                yield from (each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module

sys.meta_path[:] = [BuiltinImporter, FrozenImporter, Only]
sys.path.insert(0, code)
for handler in handlers:
    module, _, name = handler.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name)), handler
read, left = set(), set(sys.modules)
while left:
    files = [getattr(sys.modules[name], "__file__", None) or "" for name in left]
    read |= (own := {file for file in files if file.startswith(code)})
    before = set(sys.modules)
    for name in {name for file in own for name in imports(file)} - {"vl_convert", "sqlglot"}:
        importlib.import_module(name)
    left = set(sys.modules) - before
print("\\n".join(sorted(read)))
"""
"""Imports the handlers, and then whatever their modules import inside functions, from the code and `allowed` only.

But for vl_convert and sqlglot: they are for `assets.chart_script` and for questions to Athena, and no handler writes
that file or asks there.
"""


def run_check(code: Path, allowed: set[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHECK, str(code), ",".join(allowed), ",".join(handlers())],
        cwd=code,
        env={"PATH": "", "HOME": str(code)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    zipfile.ZipFile(io.BytesIO(deployment.code_zip())).extractall(folder)
    return folder


def test_every_import_resolves_from_the_zip_the_layer_and_the_runtime(unzipped: Path) -> None:
    done = run_check(unzipped, modules(distributions(*deployment.LAYER, *RUNTIME_HAS)) | {*deployment.PACKAGES})
    assert (done.returncode, done.stderr) == (0, "")
    own = {Path(file).relative_to(unzipped).as_posix() for file in done.stdout.split()}
    assert own > {"subscribers/logs_handler.py", "subscribers/reports_handler.py", "dashboards/pages.py"}


def test_the_check_above_can_fail(unzipped: Path) -> None:
    done = run_check(unzipped, {*deployment.PACKAGES})
    assert done.returncode
    assert "ModuleNotFoundError" in done.stderr


def test_the_layer_is_part_of_what_the_project_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {*deployment.LAYER} <= {requirement(line) for line in project["dependencies"]}


def test_zips_leave_out_what_is_not_asked_for(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "b/__pycache__/c.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    data = zip_files(tmp_path, [tmp_path / "b", *(tmp_path / "b").rglob("*")])
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["b/c.py"]


# --- the layer ---------------------------------------------------------------------------------------


def test_the_layer_is_built_for_lambda_and_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def pip(command: list[str], **_rest: Any) -> Any:
        asked.append(command)
        target = Path(command[command.index("--target") + 1])
        target.mkdir(parents=True)
        (target / "jinja2.py").write_text("")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    layer = deployment.layer_zip("arm64")
    assert zipfile.ZipFile(io.BytesIO(layer)).namelist() == ["python/jinja2.py"]
    (command,) = asked
    assert {"--platform=manylinux2014_aarch64", "--only-binary=:all:", *deployment.LAYER} <= {*command}


def test_a_layer_that_cannot_be_built_says_what_pip_said(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no matching distribution\n")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_rest: failed)
    with pytest.raises(LookoutError, match="no matching distribution"):
        deployment.layer_zip("x86_64")


# --- the template ------------------------------------------------------------------------------------


def test_cfn_lint_has_nothing_to_say() -> None:
    assert [str(found) for found in lint(deployment.template())] == []


def test_the_template_and_the_layer_speak_of_one_runtime() -> None:
    function = TEMPLATE["Globals"]["Function"]
    assert function["Runtime"] == f"python{deployment.RUNTIME}"
    assert RESOURCES["Dependencies"]["Properties"]["CompatibleRuntimes"] == [function["Runtime"]]
    assert {*TEMPLATE["Parameters"]["Architecture"]["AllowedValues"]} == deployment.MACHINES.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_looked_after(name: str) -> None:
    """Its own log group with an end, traces, a version to go back to, a place for what fails, a role of its own."""
    own = FUNCTIONS[name]
    shared = TEMPLATE["Globals"]["Function"]
    group = RESOURCES[own["LoggingConfig"]["LogGroup"]["Ref"]]
    assert group["Type"] == "AWS::Logs::LogGroup"
    assert group["Properties"]["LogGroupName"] == f"/aws/lambda/{own['FunctionName']}"
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert (shared["Tracing"], shared["AutoPublishAlias"]) == ("Active", "live")
    failure = own["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    target = failure["Destination"].get("Ref") or failure["Destination"]["Fn::GetAtt"][0]
    assert RESOURCES[target]["Type"] == {"SQS": "AWS::SQS::Queue", "SNS": "AWS::SNS::Topic"}[failure["Type"]]
    assert "Role" not in own, "SAM makes each function a role of its own where none is named"
    assert "Role" not in shared


@pytest.mark.parametrize("name", FUNCTIONS)
def test_permissions_are_as_narrow_as_aws_allows(name: str) -> None:
    """`*` only for the actions that take no resource (Service Authorization Reference)."""
    unscoped = {
        *("cloudwatch:GetMetricData", "lambda:ListFunctions", "logs:GetQueryResults"),
        *("xray:BatchGetTraces", "xray:GetTraceSegmentDestination", "xray:GetTraceSummaries"),
    }
    for policy in FUNCTIONS[name].get("Policies", ()):
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not [action for action in actions if "*" in action]
            if statement["Resource"] == "*":
                assert {*actions} <= unscoped


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_on_a_schedule_keeps_what_the_scheduler_cannot_deliver(name: str) -> None:
    for event in FUNCTIONS[name].get("Events", {}).values():
        properties = event["Properties"]
        dead = properties.get("DeadLetterConfig", {}).get("Arn") or properties["RedrivePolicy"]["deadLetterTargetArn"]
        assert RESOURCES[dead["Fn::GetAtt"][0]]["Type"] == "AWS::SQS::Queue"


def test_what_is_stored_is_encrypted_and_private() -> None:
    for one in RESOURCES.values():
        match one["Type"], one.get("Properties", {}):
            case "AWS::SNS::Topic", properties:
                assert properties["KmsMasterKeyId"]
            case "AWS::SQS::Queue", properties:
                assert properties["SqsManagedSseEnabled"]
            case "AWS::S3::Bucket", properties:
                assert all(properties["PublicAccessBlockConfiguration"].values())
                assert properties["BucketEncryption"]


# --- the deployment ----------------------------------------------------------------------------------


class Account(Session):
    """With the calls that code's bucket needs."""

    def __init__(self) -> None:
        super().__init__()
        self.sts = SimpleNamespace(meta=meta("sts"), get_caller_identity=lambda: IDENTITY)
        self.s3.create_bucket = lambda **_: {}  # type: ignore[attr-defined] # a fake


IDENTITY = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/me"}
PLAIN = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"Arn": {"Value": "there"}}})


@pytest.mark.parametrize("layer", [True, False])
def test_code_and_layer_go_before_the_stack(monkeypatch: pytest.MonkeyPatch, layer: bool) -> None:
    monkeypatch.setattr(deployment, "template", lambda _stack: PLAIN)
    monkeypatch.setattr(deployment, "layer_zip", lambda architecture: f"layer for {architecture}".encode())
    session = Account()
    outputs = deployment.deploy(
        session,
        architecture="arm64",
        parameters={"PageEmail": "oncall@example.com"},
        layer=layer,
        pause_s=0,
    )
    assert outputs == {"Arn": "there"}
    _, given = session.cloudformation.stacks[STACK]["asked"]
    chosen = {one["ParameterKey"]: one["ParameterValue"] for one in given}
    bucket = "lookout-code-123456789012-eu-west-1"
    assert chosen["CodeBucket"] == bucket
    assert chosen["PageEmail"] == "oncall@example.com"
    assert session.s3.objects[f"{bucket}/{chosen['CodeKey']}"] == deployment.code_zip()
    assert ("LayerKey" in chosen) is layer
    if layer:
        assert session.s3.objects[f"{bucket}/{chosen['LayerKey']}"] == b"layer for arm64"


def test_the_archive_is_a_stack_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {STACK: PLAIN, ARCHIVE: PLAIN.replace("Arn", "StreamArn")}
    monkeypatch.setattr(deployment, "template", plain.__getitem__)
    session = Account()
    outputs = deployment.deploy(
        session, architecture="x86_64", parameters={"PageEmail": "a@b.c"}, layer=False, archive=True, pause_s=0
    )
    assert outputs == {"Arn": "there", "StreamArn": "there"}
    _, given = session.cloudformation.stacks[ARCHIVE]["asked"]
    chosen = {one["ParameterKey"]: one["ParameterValue"] for one in given}
    assert chosen.keys() == {"CodeBucket", "CodeKey", "Architecture"}


def test_outputs_of_what_is_deployed() -> None:
    session = Account()
    assert deployment.deployed(session) == {}
    session.cloudformation.stacks[STACK] = {**stack(STACK), "Outputs": [{"OutputKey": "Arn", "OutputValue": "there"}]}
    assert deployment.deployed(session) == {"Arn": "there"}
    archive = {**stack(ARCHIVE), "Outputs": [{"OutputKey": "ArchiveStreamArn", "OutputValue": "there too"}]}
    session.cloudformation.stacks[ARCHIVE] = archive
    assert deployment.deployed(session) == {"Arn": "there", "ArchiveStreamArn": "there too"}


def test_not_being_allowed_to_look_is_not_absence() -> None:
    session = Account()

    def denied(**_asked: Any) -> Any:
        raise error("AccessDenied", "not authorized", "DescribeStacks")

    session.cloudformation.describe_stacks = denied  # type: ignore[method-assign] # a fake
    with pytest.raises(AwsError, match="cloudformation:DescribeStacks"):
        deployment.deployed(session)


# --- definitions for the log subscriber ------------------------------------------------------------


def test_the_subscriber_reads_what_deploy_hands_it() -> None:
    """Without what is as by default, since the environment is small."""
    given = MetricDefinition(
        name="Orders", pattern="{ $.a = 1 }", value="$.b", dimensions=(("C", "$.c"),), log_groups="/aws/lambda/shop"
    )
    text = _definitions([given, MetricDefinition(name="Plain", pattern="x")])
    assert text == (
        '[{"name":"Orders","pattern":"{ $.a = 1 }","value":"$.b","dimensions":[["C","$.c"]],'
        '"log_groups":"/aws/lambda/shop"},{"name":"Plain","pattern":"x"}]'
    )
    read = definitions(text)
    assert not read.mistakes
    assert [(one.name, one.dimensions, one.unit) for one in read.sound] == [
        ("Orders", (("C", "$.c"),), "Count"),
        ("Plain", (), "Count"),
    ]


def functions(**architectures: str) -> Fleet:
    return Fleet(
        resources=tuple(
            Resource(service="lambda", id=f"arn:{name}", name=name, facts={"architecture": architecture})
            for name, architecture in architectures.items()
        )
    )


def test_the_subscriber_is_told_which_functions_run_on_arm64(capsys: pytest.CaptureFixture[str]) -> None:
    assert _arm64(functions(a="x86_64", b="arm64", c="arm64"), room=100) == "b,c"
    assert _arm64(functions(b="arm64", c="arm64"), room=1) == "*"
    assert _arm64(functions(a="x86_64"), room=100) == ""
    assert capsys.readouterr().err == ""
    assert _arm64(functions(a="x86_64", b="arm64", c="arm64"), room=3) == "b"
    assert "no room for the names of 1 functions on arm64: they are priced as x86_64" in capsys.readouterr().err


def test_more_definitions_than_the_environment_holds_are_refused() -> None:
    with pytest.raises(InputError, match=r"take [45],\d{3} characters.*name fewer with log_groups"):
        _definitions([MetricDefinition(name=f"Metric{n}", pattern="x" * 20) for n in range(100)])
