"""Rows: what a survey finds and no rule judges, since it watches others."""

from monitors.catalog.rows import Service

SERVICES = (
    Service(id="alarm", title="CloudWatch alarm", watches=True),
    Service(id="dashboard", title="CloudWatch dashboard", watches=True),
)
