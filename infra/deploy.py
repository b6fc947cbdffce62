"""The toolkit's own Lambdas: code and dependencies -> zips in S3 -> the stack of template.yaml."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

import boto3

from infra.apply import deploy_stack
from infra.aws import bucket as buckets
from infra.aws.session import call, client
from infra.zips import zip_files, zip_folder
from monitors.errors import AwsError, LookoutError
from monitors.names import ARCHIVE, STACK

PACKAGES = ("dashboards", "infra", "monitors", "subscribers")
NOT_IN_LAMBDA = "infra/local"
LAYER = ("aws-xray-sdk", "aws-embedded-metrics", "jinja2", "markdown-it-py", "msgspec", "numpy", "orjson")
"""What the handlers import beyond the runtime's own boto3."""
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
GLIBC = ("manylinux_2_28", "manylinux_2_27", "manylinux2014")
"""Wheels that the runtime can load, which stands on Amazon Linux 2023 and its glibc 2.34 (PEP 600)."""
RUNTIME = "3.13"


def deploy(
    session: boto3.Session,
    *,
    architecture: str,
    parameters: Mapping[str, str],
    layer: bool = True,
    archive: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    pause_s: float = 2.0,
) -> dict[str, str]:
    """Deploy the toolkit's stack into the session's account and Region, and with `archive` that of the archive; their
    outputs by name.

    Raises:
        AwsError: a call failed, or the stack did.
        LookoutError: the layer could not be built.
    """
    bucket = buckets.code_bucket(session)
    code_key = buckets.upload(session, bucket, code_zip())
    chosen = {"CodeBucket": bucket, "CodeKey": code_key, "Architecture": architecture}
    if layer:
        progress("building the layer of dependencies")
        chosen["LayerKey"] = buckets.upload(session, bucket, layer_zip(architecture))
    stacks = {STACK: {**chosen, **parameters}}
    if archive:
        stacks[ARCHIVE] = {key: chosen[key] for key in ("CodeBucket", "CodeKey", "Architecture")}
    return {
        key: value
        for name, given in stacks.items()
        for key, value in deploy_stack(
            session,
            name=name,
            template=template(name),
            parameters=given,
            capabilities=("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
            bucket=bucket,
            tags={"application": "lookout"},
            progress=progress,
            pause_s=pause_s,
        ).items()
    }


def deployed(session: boto3.Session) -> dict[str, str]:
    """The outputs of the toolkit's stack, and of the archive's, by name; empty where they are not deployed.

    Raises:
        AwsError: a call failed.
    """
    return {**_outputs(session, STACK), **_outputs(session, ARCHIVE)}


def _outputs(session: boto3.Session, stack: str) -> dict[str, str]:
    try:
        found = call(client(session, "cloudformation"), "DescribeStacks", {"StackName": stack}, target=stack)
    except AwsError as error:
        if "does not exist" in str(error):
            return {}
        raise
    return {one["OutputKey"]: one["OutputValue"] for one in found["Stacks"][0].get("Outputs", ())}


def template(stack: str = STACK) -> str:
    """The text of the SAM template of one of the toolkit's own stacks."""
    return resources.files("infra").joinpath(_TEMPLATES[stack]).read_text()


_TEMPLATES = {STACK: "template.yaml", ARCHIVE: "archive.yaml"}


def code_zip() -> bytes:
    """The toolkit's code as Lambda takes it."""
    root = Path(__file__).resolve().parents[1]
    return zip_files(
        root,
        (
            path
            for package in PACKAGES
            for path in (root / package).rglob("*")
            if not path.is_relative_to(root / NOT_IN_LAMBDA)
        ),
    )


def layer_zip(architecture: str) -> bytes:
    """The handlers' dependencies as a Lambda layer, built by pip for Lambda's platform.

    Raises:
        LookoutError: pip could not get them.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - our own interpreter and constants
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--target", f"{folder}/python"),
                *(f"--platform={glibc}_{MACHINES[architecture]}" for glibc in GLIBC),
                *("--implementation", "cp", "--python-version", RUNTIME),
                *("--only-binary=:all:", *LAYER),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LookoutError(f"pip could not get the layer's dependencies:\n{done.stderr.strip()[-2000:]}")
        return zip_folder(Path(folder))
