"""All rows of the catalog, put together."""

from monitors.catalog import (
    caches,
    delivery,
    edge,
    events,
    extras,
    functions,
    gateways,
    logmetrics,
    logs,
    messaging,
    objectives,
    storage,
    streams,
    surveyed,
)
from monitors.catalog.rows import Catalog

_SERVICES = (functions, messaging, storage, streams, caches, gateways, edge, events, delivery, logs)

CATALOG = Catalog(
    services=(*(row for one in _SERVICES for row in one.SERVICES), *surveyed.SERVICES),
    metrics=tuple(row for one in (*_SERVICES, extras, logmetrics) for row in one.METRICS),
    rules=tuple(row for one in (*_SERVICES, extras, logmetrics, objectives) for row in one.RULES),
    healths=(*objectives.HEALTHS, *functions.HEALTHS),
)
