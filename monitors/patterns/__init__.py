"""CloudWatch Logs filter pattern -> what it matches and extracts, as AWS evaluates it. Pure; standard library only.

The language is that of the CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters,
filter log events, and Live Tail", and of TestMetricFilter in the API reference. Where the service has been seen to
differ from that, or to decide what it leaves open, the service is followed. What neither settles, a comment calls ours.
"""

from monitors.errors import PatternError
from monitors.patterns import fields, json_selectors, lexing, terms
from monitors.patterns.pattern import Match, Pattern

__all__ = ["Match", "Pattern", "compile"]

LONGEST = 1024  # PutMetricFilter, filterPattern: 0-1024 characters


def compile(text: str) -> Pattern:  # noqa: A001  # as in re.compile; always called as patterns.compile
    """The pattern, ready to match. PatternError, with AWS's reason, on one that AWS would refuse."""
    if len(text) > LONGEST:
        raise PatternError(f"filterPattern: Member must have length less than or equal to {LONGEST}")
    stripped = text.strip(lexing.BLANK)
    if stripped.startswith("{"):
        return json_selectors.compiled(stripped)
    if stripped.startswith("["):
        return fields.compiled(stripped)
    return terms.compiled(stripped)
