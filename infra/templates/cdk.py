"""CDK's source code -> the Lambda functions that it makes, their names once deployed, where their sizes go. Pure.

In TypeScript and JavaScript (.ts, .js), and in Python (.py).
"""

import re
import textwrap
from collections.abc import Iterator
from hashlib import md5
from itertools import product
from typing import NamedTuple

from infra.templates import calls_python, calls_typescript
from infra.templates.calls import Call

ENDINGS = (".ts", ".js", ".py")

_OF_LAMBDA = {"Function", "CfnFunction"}
"""What other services have too, such as CloudFront: here of a module that speaks of Lambda."""
_ALWAYS = {"NodejsFunction", "PythonFunction", "DockerImageFunction", "GoFunction", "RustFunction"}
_HIDDEN = {"Default", "Resource"}
"""Ids that CDK leaves out of names (`makeUniqueId` in aws-cdk-lib/core/lib/private/uniqueid.ts)."""
_DEPLOYED = re.compile(r".+-(?P<logical>[A-Za-z0-9]+)-[A-Za-z0-9]{12,13}")
_CUT = 63
"""Names of functions have up to 64 characters. CloudFormation cuts stack name and logical id to get there."""
_ENOUGH = 4
"""Digits of a hash, of 8, that tell one path from another well enough."""
_MOST_PARENTS = 10


class Function(NamedTuple):
    place: str
    """`Orders (line 12)`."""
    name: str | None
    """The one that the code gives it, with `${}` in it; None if CloudFormation makes one."""
    id: str
    """The construct's; empty if the code does not say it."""
    tail: str
    """What comes below the construct in the path of what is deployed: `/Resource`, or nothing."""
    direct: bool | None
    """It lies in the stack itself (True), in a construct (False); None if that cannot be seen here."""
    size: tuple[int, int, str, str] | str
    """Where its size goes: from, to, and what to write before and after it. Or why it cannot."""


def functions(text: str, file: str) -> Iterator[Function]:
    """Each function that the code makes with a call of its own; InputError for text that cannot be read."""
    python = file.endswith(".py")
    found = calls_python.calls(text, file) if python else calls_typescript.calls(text, file)
    size, name = ("memory_size", "function_name") if python else ("memorySize", "functionName")
    for call in found:
        kind = call.callee.rpartition(".")[2]
        if not _makes_function(call.callee):
            continue
        place = f"{call.id or kind} (line {call.line})"
        yield Function(
            place=place,
            name=next((argument.said for key, argument in call.named if key == name), None),
            id="" if "$" in call.id or call.id in _HIDDEN else call.id,
            tail="" if kind == "CfnFunction" else "/Resource",
            direct=_direct(call),
            size=_size(text, call, size, place, "=" if python else ": "),
        )


def doubt(made: Function, function: str) -> str | None:
    """Whether a deployed function, named by CloudFormation, is this one: '' if so, None if not, or why it is not sure.

    CDK makes a logical id of the ids from the stack down, without punctuation, and 8 digits of the MD5 of their path;
    of one id alone it takes that id. So the digits tell whether what is in front of this id are its parents.
    """
    deployed, human = _DEPLOYED.fullmatch(function), re.sub(r"[^A-Za-z0-9]", "", made.id)
    if not deployed or not human:
        return None
    if made.direct is not False and not made.tail and deployed["logical"] == human:
        return ""
    digits = "{0,8}" if len(function) >= _CUT else "{8}"
    named = re.fullmatch(rf"(?P<parents>[A-Za-z0-9]*){human}(?P<hash>[0-9A-F]{digits})", deployed["logical"])
    if not named or (made.direct and named["parents"]) or (made.direct is False and not named["parents"]):
        return None
    if len(named["hash"]) < _ENOUGH:
        return f"it may be {made.place}, but its name is cut off before what would tell"
    paths = (f"{parents}{made.id}{made.tail}" for parents in _parents(named["parents"]))
    if any(md5(path.encode(), usedforsecurity=False).hexdigest().upper().startswith(named["hash"]) for path in paths):
        return ""
    return None if made.direct else f"it may be {made.place}, but its name does not show what constructs that is in"


def _parents(said: str) -> Iterator[str]:
    """Every path that `ShopApi` may come from: `ShopApi/`, `Shop/Api/`."""
    ids = re.findall(r"[A-Z]?[^A-Z]+|[A-Z]", said)
    if not ids:
        yield ""
    elif len(ids) <= _MOST_PARENTS:
        for joints in product(("", "/"), repeat=len(ids) - 1):
            yield "".join(map("".join, zip(ids, (*joints, "/"), strict=True)))


def _makes_function(callee: str) -> bool:
    module, _, kind = callee.rpartition(".")
    if kind == "CfnFunction" and re.search(r"(aws[-_])?sam$", module):
        return True
    return kind in _ALWAYS or (kind in _OF_LAMBDA and "lambda" in module.lower())


def _direct(call: Call) -> bool | None:
    if call.scope in ("this", "self"):
        return True if call.base.endswith("Stack") else False if call.base == "Construct" else None
    return None


def _size(text: str, call: Call, key: str, place: str, equals: str) -> tuple[int, int, str, str] | str:
    sizes = [argument for name, argument in call.named if name == key]
    if len(sizes) > 1:
        return f"{place} says {key} twice"
    if call.opaque and not (sizes and call.opaque[0] < sizes[0].start):
        return f"{key} of {place} may come from {_short(call.opaque[1])}"
    if sizes:
        start, end, _ = sizes[0]
        literal = re.fullmatch(r"[1-9]\d*(_\d+)*", text[start:end], re.ASCII)
        return (start, end, "", "") if literal else f"{key} of {place} comes from {_short(text[start:end])}"
    if call.first is None:
        return f"{place} has nothing that {key} could stand beside"
    return call.first, call.first, f"{key}{equals}", _after(text, call.first)


def _after(text: str, at: int) -> str:
    """What separates a new first entry from the one at this place: a line of its own, if that one has one."""
    indent = re.search(r"(?P<newline>\r?\n)(?P<blank>[ \t]*)\Z", text[:at])
    return f",{indent['newline']}{indent['blank']}" if indent else ", "


def _short(code: str) -> str:
    return textwrap.shorten(code, width=60, placeholder=" ...")
