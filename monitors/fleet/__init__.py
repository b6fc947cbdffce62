"""What AWS's APIs answered -> Fleet; Fleet <-> JSON. Pure: infra/aws/survey.py asks."""

from monitors.fleet.document import from_json, to_json
from monitors.fleet.joined import from_answers

__all__ = ["from_answers", "from_json", "to_json"]
