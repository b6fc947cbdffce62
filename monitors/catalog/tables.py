"""All rows of the catalog, put together."""

from monitors.catalog import (
    account,
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
    versions,
)
from monitors.catalog.rows import Catalog

_SERVICES = (functions, account, messaging, storage, streams, caches, gateways, edge, events, delivery, logs)

CATALOG = Catalog(
    services=(*(row for one in _SERVICES for row in one.SERVICES), *surveyed.SERVICES),
    metrics=tuple(row for one in (*_SERVICES, versions, extras, logmetrics) for row in one.METRICS),
    rules=tuple(row for one in (*_SERVICES, versions, extras, logmetrics, objectives) for row in one.RULES),
    healths=(*objectives.HEALTHS, *functions.HEALTHS),
)
