"""All rows of the catalog, put together."""

from monitors.catalog import events, functions, gateways, logmetrics, logs, messaging, storage, streams, surveyed
from monitors.catalog.rows import Catalog

CATALOG = Catalog(
    services=(
        *functions.SERVICES,
        *messaging.SERVICES,
        *storage.SERVICES,
        *streams.SERVICES,
        *gateways.SERVICES,
        *events.SERVICES,
        *logs.SERVICES,
        *surveyed.SERVICES,
    ),
    metrics=(
        *functions.METRICS,
        *logmetrics.METRICS,
        *messaging.METRICS,
        *storage.METRICS,
        *streams.METRICS,
        *gateways.METRICS,
        *events.METRICS,
        *logs.METRICS,
    ),
    rules=(
        *functions.RULES,
        *logmetrics.RULES,
        *messaging.RULES,
        *storage.RULES,
        *streams.RULES,
        *gateways.RULES,
        *events.RULES,
        *logs.RULES,
    ),
    healths=functions.HEALTHS,
)
