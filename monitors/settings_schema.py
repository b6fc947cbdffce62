"""What lookout.toml may say, as a JSON schema for editors. Pure."""

from typing import Any

from monitors import quotas
from monitors.catalog.rows import Catalog, Health, Rule
from monitors.catalog.tables import CATALOG
from monitors.settings import Settings

Json = dict[str, Any]


def schema(catalog: Catalog = CATALOG) -> Json:
    """JSON Schema, draft 2020-12: every key, and every rule with what it means.

    What only `monitors.settings.parse` can tell, such as whether a pattern can be read, is not in it.
    """
    from pydantic import TypeAdapter

    made = TypeAdapter(Settings).json_schema()
    kinds = made["$defs"]
    for kind in (made, *kinds.values()):
        if "properties" in kind:
            kind["properties"] = {key: _without_null(one) for key, one in kind["properties"].items()}
            kind["additionalProperties"] = False
    rows: tuple[Rule | Health, ...] = (*catalog.rules, *catalog.healths)
    kinds["Rules"] = {
        "type": "object",
        "properties": {
            one.id: {"$ref": "#/$defs/Override", "description": f"{one.title}. {one.reason}"} for one in rows
        },
        "additionalProperties": False,
    }
    for table in (made, kinds["Match"]):
        table["properties"]["rules"] = {"$ref": "#/$defs/Rules"}
    kinds["Match"]["properties"]["slo"] |= {"exclusiveMinimum": 0, "exclusiveMaximum": 100}
    kinds["MetricDefinition"]["properties"]["dimensions"] = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "maxProperties": quotas.METRIC_FILTER_DIMENSIONS,
    }
    kinds["MetricDefinition"]["properties"]["unit"]["enum"] = list(quotas.METRIC_UNITS)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "lookout.toml"}


def _without_null(one: Json) -> Json:
    """TOML has no null: what is not there has its default."""
    kinds = [kind for kind in one.get("anyOf", ()) if kind != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else one
