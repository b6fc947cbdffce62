"""Rows: what a survey finds and no rule judges, since it watches others."""

from monitors.catalog.rows import Service

_WATCHES = "it is itself there to watch others"

SERVICES = (
    Service(id="alarm", title="CloudWatch alarm", uncovered=_WATCHES),
    Service(id="dashboard", title="CloudWatch dashboard", uncovered=_WATCHES),
)
