"""Rows: CodeBuild projects, pipelines, deployment groups, keys: what brings code and keeps secrets.

Metrics: "CodeBuild CloudWatch metrics" (CodeBuild User Guide), "Monitoring pipelines with CloudWatch metrics"
(CodePipeline User Guide), "Monitoring KMS keys with Amazon CloudWatch" (KMS Developer Guide).
"""

from functools import partial

from monitors.catalog.rows import Fixed, Rule, Service, equal, has, published
from monitors.catalog.shapes import never, unusual
from monitors.model import Missing, Severity

_DAY_S = 86_400

SERVICES = (
    Service(id="codebuild", title="CodeBuild project"),
    Service(id="codepipeline", title="CodePipeline pipeline"),
    Service(id="codedeploy", title="CodeDeploy deployment group", uncovered="it publishes no metrics"),
    Service(
        id="kms",
        title="KMS key with imported material",
        uncovered="its material does not expire, and that is all a key publishes about itself",
    ),
)

_project = partial(published, "codebuild", namespace="AWS/CodeBuild", dimensions={"ProjectName": "{name}"})
_pipeline = partial(published, "codepipeline", namespace="AWS/CodePipeline", dimensions={"PipelineName": "{name}"})

METRICS = (
    *_project("Builds SucceededBuilds FailedBuilds", statistic="Sum"),
    *_project(
        "Duration SubmittedDuration QueuedDuration ProvisioningDuration DownloadSourceDuration InstallDuration "
        "PreBuildDuration BuildDuration PostBuildDuration UploadArtifactsDuration FinalizingDuration",
        statistic="Maximum",
        unit="Seconds",
    ),
    *_pipeline("FailedPipelineExecutions", statistic="Sum"),
    *_pipeline("PipelineDuration", statistic="Maximum", unit="Seconds", when=(equal("type", "V2"),)),
    *published(
        "kms",
        "SecondsUntilKeyMaterialExpiration",
        namespace="AWS/KMS",
        dimensions={"KeyId": "{name}"},
        statistic="Minimum",
        unit="Seconds",
        when=(has("expires"),),
    ),
)

RULES = (
    never(
        "codebuild.failed",
        "FailedBuilds",
        title="Builds failed",
        unit="failed builds a minute",
        severity=Severity.TICKET,
        reason="A build failed: what it was to bring is not there.",
    ),
    unusual(
        "codebuild.duration",
        "Duration",
        title="Build time",
        unit="s",
        datapoints=1,
        periods=1,
        reason="A build takes longer than builds of this project do; it costs by the minute, and people wait for it.",
    ),
    never(
        "codepipeline.failed",
        "FailedPipelineExecutions",
        title="Pipeline executions failed",
        unit="failed executions a minute",
        severity=Severity.TICKET,
        reason="A pipeline stopped before its end: the change is not where it should be.",
    ),
    unusual(
        "codepipeline.duration",
        "PipelineDuration",
        title="Pipeline time",
        unit="s",
        datapoints=1,
        periods=1,
        reason="An execution takes longer than this pipeline's executions do: something waits, or hangs.",
    ),
    Rule(
        id="kms.expiration",
        title="Key material expires",
        metrics=("SecondsUntilKeyMaterialExpiration",),
        unit="s until the key cannot be used",
        low=Fixed(30 * _DAY_S),
        period_s=300,
        datapoints=1,
        periods=1,
        missing=Missing.IGNORE,
        severity=Severity.TICKET,
        reason="In less than a month the imported material of this key expires. From then on nothing that it encrypts "
        "can be read until the same material is imported again.",
    ),
)
