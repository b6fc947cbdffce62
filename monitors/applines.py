"""One log line of an application -> its level, and of an error its type, place and request. Pure, never raises.

Shapes: what AWS's runtimes print of errors nobody caught, in the text and JSON formats; Python's and Node's loggers;
Powertools for AWS Lambda.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

LEVELS = frozenset({"TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL"})
ERROR_LEVELS = frozenset({"ERROR", "CRITICAL", "FATAL"})
LONGEST = 200
"""Characters of a stack's head."""
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Application(NamedTuple):
    """What a line shows of itself, upper case for the level; "" for what it doesn't show."""

    level: str
    error_type: str = ""
    """`KeyError`, `java.lang.IllegalStateException`, `Runtime.ImportModuleError`."""
    stack_head: str = ""
    """Where it happened, as the runtime writes it: `File "/var/task/app.py", line 12, in handler`."""
    request_id: str = ""


def read(message: str) -> Application:
    """What the line shows. Only lines of an error have an error's type and stack."""
    shown, request = level(message), request_id(message)
    if shown not in ERROR_LEVELS:
        return Application(shown, request_id=request)
    return Application(shown, error_type(message), stack_head(message), request)


# --- level ---------------------------------------------------------------------------------------


def leveled(group: str) -> str:
    """A regular expression for what begins a line that shows one of these levels first: Python's text, Node's, JSON.

    `group` holds the levels, `(INFO|DEBUG)` to capture which, `(?:INFO|DEBUG)` not to.
    """
    return (
        rf"\[{group}\][\t ]|[0-9-]{{10}}T[^\t\0]{{1,20}}\t[^\t\0]{{1,64}}\t{group}\t"
        rf'|\{{\s*(?:"time(?:stamp)?"\s*:\s*"[^"\\\0]*"\s*,\s*)?"(?:log_)?level"\s*:\s*"(?i:{group})"'
    )


_LEVELED = re.compile(leveled(f"({'|'.join(sorted(LEVELS))})"))

# What a runtime without a logger prints as it dies: Node, Go, Java, .NET, Ruby.
_CRASH = re.compile(
    r'(?:FATAL ERROR|fatal error): |Exception in thread "|Unhandled exception\. '
    r"|(?:Java heap space: |Metaspace: )?java\.lang\.OutOfMemoryError"
    r"|/\S{1,200}\.rb:[0-9]+:in [^\n]{1,200}: failed to allocate memory"
)


def level(message: str) -> str:
    """The level of the line, upper case: Python's and Node's text, JSON with a `level` or `log_level`.

    What a runtime prints as it crashes is FATAL; a line that shows no level gives "".
    """
    if found := _LEVELED.match(message):
        word = found[found.lastindex or 0]
    elif message.startswith("{"):
        line = json_object(message) if 'level"' in message else {}
        word = str(line.get("level") or line.get("log_level"))
    else:
        word = "FATAL" if _CRASH.match(message) else ""
    return word.upper() if word.upper() in LEVELS else ""


# --- errors --------------------------------------------------------------------------------------

_OUT_OF_MEMORY = re.compile(
    r"runtime: out of memory|java\.lang\.OutOfMemoryError|JavaScript heap out of memory|\bMemoryError\b"
    r"|failed to allocate memory \(NoMemoryError\)|OutOfMemoryException"
)
_NAME = r"[A-Za-z_$][\w$]{0,63}(?:(?:\.|::)[A-Za-z_$][\w$]{0,63}){0,8}"
_IS_NAME = re.compile(_NAME).fullmatch
_SOUNDS = re.compile(r"(?:.*[.:])?[A-Z]\w*(?:Error|Exception|Fault|Exit|Interrupt)|.+\.[A-Z]\w*").fullmatch
"""What is an error's type by its name alone: `KeyError`, `Runtime.Unknown`; not `Failed`."""
# After the level of a text: `[ERROR] KeyError: 'x'`, `ERROR\tTypeError: x`; after a crash's opening.
_OPENING = re.compile(
    rf"(?:\[\w+\](?:[\t ]{{1,4}}[0-9-]{{10}}T\S{{1,20}}\t{UUID}\t|[\t ])"
    r"|[0-9-]{10}T[^\t]{1,20}\t[^\t]{1,64}\t\w+\t"
    rf'|Exception in thread "[^"\n]{{0,100}}" |Unhandled exception\. )(?:Uncaught )?({_NAME})(?=: |\s*(?:\n|\Z))'
)
_NODE = re.compile(r"\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection) *\t\{")
_NODE_WITHIN = 200
_STACKS = ("stackTrace", "stack", "exception", "trace")
_RAISED = re.compile(rf"^({_NAME})(?:: |$)", re.MULTILINE)
_FRAME = re.compile(
    r"^[ \t\xa0]*(File \"[^\"\n]{1,150}\", line [0-9]+(?:, in [^\n]{1,40})?|at [^\n]{3,})", re.MULTILINE
)
_TRACEBACK = "Traceback (most recent call last):"
_MOST_READ = 20_000
"""Characters of a stack that are looked at: its end, of one that is longer."""


def error_type(message: str) -> str:
    """The type that an error's line names; "" if it names none."""
    if line := _fields(message):
        kind = _first(line, ("errorType", "exception_name"))
        return kind if _IS_NAME(kind) else _raised(_first(line, _STACKS))
    stack = message[-_MOST_READ:]
    if raised := _raised(stack):
        return raised
    found = _OPENING.match(message)
    return found[1] if found and (_SOUNDS(found[1]) or (found[1][:1].isupper() and _head(stack))) else ""


def stack_head(message: str) -> str:
    """Where the error of an error's line happened; "" if it doesn't say."""
    line = _fields(message)
    return _head(_first(line, _STACKS) if line else message[-_MOST_READ:])


def _fields(message: str) -> Mapping[str, Any]:
    """What the runtime said in JSON: the line, or Node's after its level; empty if it is all text."""
    if message.startswith("{"):
        return json_object(message)
    found = _NODE.search(message, 0, _NODE_WITHIN)
    return json_object(message[found.end() - 1 :]) if found else {}


def _first(line: Mapping[str, Any], keys: Iterable[str]) -> str:
    """The value of the first of the keys that has a text, or a list of them, as text."""
    for key in keys:
        value = line.get(key)
        if isinstance(value, list):
            value = "\n".join(one for one in value if isinstance(one, str))
        if isinstance(value, str) and value:
            return value[-_MOST_READ:]
    return ""


def _raised(stack: str) -> str:
    """What Python says at the end of a traceback."""
    _, traceback, after = stack.rpartition(_TRACEBACK)
    found = _RAISED.findall(after) if traceback else []
    return str(found[-1]) if found else ""


def _head(stack: str) -> str:
    """The frame in which it happened: Python writes it last, the others first."""
    frames = _FRAME.findall(stack) if "\n" in stack else ()
    if not frames:
        return ""
    python = [frame for frame in frames if frame.startswith("File ")]
    return str(python[-1] if python else frames[0]).strip()[:LONGEST]


def out_of_memory(message: str) -> bool:
    """Whether the line tells of its own end for want of memory: a runtime's sign, at an error level."""
    return "emory" in message and bool(_OUT_OF_MEMORY.search(message)) and level(message) in ERROR_LEVELS


_REQUEST_ID = re.compile(rf'(?:\t|"(?:requestId|function_request_id|AWSRequestId)"\s*:\s*")({UUID})[\t"]')


def request_id(message: str) -> str:
    """The request that the line says it belongs to; "" if it names none."""
    found = _REQUEST_ID.search(message)
    return found[1] if found else ""


def json_object(message: str) -> dict[str, Any]:
    """The JSON object that a line is; empty if it is none."""
    try:
        line = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return line if isinstance(line, dict) else {}
