"""What AWS's APIs answered -> Fleet; Fleet <-> JSON; two Fleets compared. Pure: infra asks and reads."""

from monitors.fleet.compare import compare
from monitors.fleet.document import from_json, to_json
from monitors.fleet.joined import from_answers

__all__ = ["compare", "from_answers", "from_json", "to_json"]
