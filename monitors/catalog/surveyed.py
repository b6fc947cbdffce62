"""Rows: what a survey finds and no rule judges: services whose rows are still to be written, and what watches."""

from monitors.catalog.rows import Service

_NO_RULES = "lookout has no rules for it yet"
_WATCHES = "it is itself there to watch others"

SERVICES = (
    Service(id="pipes", title="EventBridge pipe", uncovered=_NO_RULES),
    Service(id="appsync", title="GraphQL API", uncovered=_NO_RULES),
    Service(id="cloudfront", title="CloudFront distribution", uncovered=_NO_RULES),
    Service(id="cognito", title="Cognito user pool", uncovered=_NO_RULES),
    Service(id="kms", title="KMS key with imported material", uncovered=_NO_RULES),
    Service(id="elasticache", title="ElastiCache cluster", uncovered=_NO_RULES),
    Service(
        id="elasticache_group",
        title="ElastiCache replication group",
        uncovered="its clusters publish the metrics, each its own",
    ),
    Service(id="codebuild", title="CodeBuild project", uncovered=_NO_RULES),
    Service(id="codepipeline", title="CodePipeline pipeline", uncovered=_NO_RULES),
    Service(id="codedeploy", title="CodeDeploy deployment group", uncovered="it publishes no metrics"),
    Service(id="alarm", title="CloudWatch alarm", uncovered=_WATCHES),
    Service(id="dashboard", title="CloudWatch dashboard", uncovered=_WATCHES),
)
