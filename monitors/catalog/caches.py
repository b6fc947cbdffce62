"""Rows: ElastiCache clusters.

Metrics: "Monitoring use with CloudWatch Metrics" (Amazon ElastiCache User Guide). Levels: "Recommended alarms" (Amazon
CloudWatch User Guide) or as the reason says.
"""

from functools import partial

from monitors.catalog.rows import Fixed, Learned, Rule, Service, has, published, unequal
from monitors.catalog.shapes import unusual
from monitors.model import Severity

SERVICES = (
    Service(id="elasticache", title="ElastiCache cluster"),
    Service(
        id="elasticache_group",
        title="ElastiCache replication group",
        uncovered="its clusters publish the metrics, each its own",
    ),
)

_NODES = (has("nodes"),)
_NOT_MEMCACHED = (unequal("engine", "memcached"),)

_node = partial(
    published,
    "elasticache",
    namespace="AWS/ElastiCache",
    dimensions={"CacheClusterId": "{name}", "CacheNodeId": "{nodes}"},
    when=_NODES,
    prefix="node/",
)
_cluster = partial(published, "elasticache", namespace="AWS/ElastiCache", dimensions={"CacheClusterId": "{name}"})

METRICS = (
    *_node("CPUUtilization", statistic="Average", unit="Percent"),
    *_node("FreeableMemory SwapUsage", statistic="Average", unit="Bytes"),
    *_node("CurrConnections", statistic="Maximum"),
    *_node("Evictions NewConnections", statistic="Sum"),
    *_cluster("Evictions", statistic="Sum"),
    *_cluster("CacheHits CacheMisses", statistic="Sum", when=_NOT_MEMCACHED),
    *_cluster(
        "EngineCPUUtilization DatabaseMemoryUsagePercentage", statistic="Average", unit="Percent", when=_NOT_MEMCACHED
    ),
    *_cluster("ReplicationLag", statistic="Maximum", unit="Seconds", when=(*_NOT_MEMCACHED, has("replication_group"))),
)

RULES = (
    Rule(
        id="elasticache.engine_cpu",
        title="Engine CPU in use",
        metrics=("EngineCPUUtilization",),
        unit="% of the one core that runs commands",
        high=Fixed(90),
        datapoints=5,
        periods=5,
        severity=Severity.PAGE,
        reason="The thread that runs all commands is nearly always busy: every caller waits, and more load is refused.",
    ),
    Rule(
        id="elasticache.cpu",
        title="CPU in use",
        metrics=("node/CPUUtilization",),
        unit="% of the node's CPU",
        high=Learned(default=Fixed(90)),
        datapoints=5,
        periods=5,
        severity=Severity.TICKET,
        reason="The node's CPU is nearly used up, or far busier than it used to be.",
    ),
    Rule(
        id="elasticache.memory",
        title="Memory in use",
        metrics=("DatabaseMemoryUsagePercentage",),
        unit="% of the memory for data",
        high=Fixed(90),
        datapoints=5,
        periods=5,
        severity=Severity.TICKET,
        reason="The memory for data is nearly full: beyond it keys are evicted, or writes refused.",
    ),
    unusual(
        "elasticache.evictions",
        "Evictions",
        title="Evictions",
        unit="keys in 5 minutes",
        reason="More keys than usual are thrown out to make room: what is asked for next will be missing.",
    ),
    unusual(
        "elasticache.connections",
        "node/CurrConnections",
        title="Connections",
        unit="connections at once",
        default=Fixed(60_000),
        reason="More connections than usual, or nearly the 65,000 that a node takes: callers open one for every call.",
    ),
    unusual(
        "elasticache.replication_lag",
        "ReplicationLag",
        title="Replica lags behind",
        unit="s",
        reason="The replica is further behind its primary than usual: readers see old data, and a failover loses more.",
    ),
)
