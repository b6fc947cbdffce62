"""A template's text and memory sizes -> a patch that sets those sizes and leaves every other character. Pure.

For CloudFormation and SAM (YAML and JSON), the Serverless Framework's `serverless.yml`, and Terraform.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import yaml

from infra.templates.parsing import composed
from infra.templates.terraform import blocks
from monitors.errors import InputError

_FUNCTIONS = {"AWS::Lambda::Function", "AWS::Serverless::Function"}
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_SUFFIX = "-[A-Za-z0-9]{12,13}"
"""What CloudFormation ends the names with that it makes: stack name, logical id, and this."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Patch:
    """What becomes of one file."""

    diff: str
    """Unified, with paths as `git apply` and `patch -p1` take them; empty if nothing changes."""
    declared: frozenset[str]
    """The functions that the file declares, refused or not."""
    refused: Mapping[str, str]
    """By function, why it keeps its size."""


class _Slot(NamedTuple):
    """Where a size goes: from `start` to `end`, between two texts."""

    start: int
    end: int
    before: str = ""
    after: str = ""


class _Declared(NamedTuple):
    place: str
    pattern: str
    """What the deployed function's name matches."""
    slot: _Slot | str
    """Or why there is none."""


def resized(text: str, file: str, sizes: Mapping[str, int]) -> Patch:
    """The patch that gives these functions (by deployed name) these sizes (MB), as far as the file declares them.

    A function is declared where its name fits, variables standing for anything; where several fit, by the one that says
    most of it. What several functions share, such as stages of one template, changes if all are to have one size.
    InputError for a file of another kind.
    """
    declared = list(_terraform(text) if file.endswith(".tf") else _yaml(text, file))
    wanted: dict[_Slot | str, dict[str, int]] = {}
    refused: dict[str, str] = {}
    for function, size in sorted(sizes.items()):
        best = _best(function, declared)
        if len(best) == 1:
            wanted.setdefault(best[0].slot, {})[function] = size
        elif best:
            refused[function] = f"it may be {' or '.join(one.place for one in best)}"
    found = refused.keys() | {function for each in wanted.values() for function in each}
    edits: list[tuple[_Slot, int]] = []
    for slot, functions in wanted.items():
        if isinstance(slot, str):
            refused |= dict.fromkeys(functions, slot)
        elif len(set(functions.values())) > 1:
            told = ", ".join(f"{function} {size} MB" for function, size in functions.items())
            refused |= dict.fromkeys(functions, f"one place for several: {told}")
        else:
            edits.append((slot, next(iter(functions.values()))))
    changed = text
    for (start, end, before, after), size in sorted(edits, reverse=True):
        changed = f"{changed[:start]}{before}{size}{after}{changed[end:]}"
    return Patch(diff=_diff(text, changed, file), declared=frozenset(found), refused=refused)


def _diff(text: str, changed: str, file: str) -> str:
    lines = difflib.unified_diff(_LINE.findall(text), _LINE.findall(changed), f"a/{file}", f"b/{file}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _best(function: str, declared: Sequence[_Declared]) -> list[_Declared]:
    found = [one for one in declared if re.fullmatch(one.pattern, function)]
    most = max((len(one.pattern) for one in found), default=0)
    return [one for one in found if len(one.pattern) == most]


def _pattern(name: str) -> str:
    """What a name with variables in it may be once deployed; nothing, if it is all variables."""
    parts = _VARIABLE.split(name)
    return ".+".join(map(re.escape, parts)) if any(parts) else r"(?!)"


def _terraform(text: str) -> Iterator[_Declared]:
    for block in blocks(text):
        slot: _Slot | str
        if block.size is None:
            slot = f"{block.place} does not say memory_size"
            if block.insertion:
                at, lead = block.insertion
                slot = _Slot(at, at, lead, _newline(text))
        elif block.size.isdigit():
            slot = _Slot(*block.span)
        else:
            slot = f"memory_size of {block.place} comes from {block.size}"
        yield _Declared(block.place, _pattern(block.name), slot)


def _yaml(text: str, file: str) -> Iterator[_Declared]:
    root = _entries(composed(text, file))
    if "Resources" in root:
        for name, node in _entries(root["Resources"]).items():
            resource = _entries(node)
            kind, properties = resource.get("Type"), resource.get("Properties")
            if isinstance(kind, yaml.ScalarNode) and kind.value in _FUNCTIONS:
                said = _entries(properties).get("FunctionName")
                pattern = f".+-{re.escape(name)}{_SUFFIX}" if said is None else _pattern(_text(said))
                yield _Declared(name, pattern, _slot(text, name, properties, "MemorySize"))
    elif {"functions", "service"} <= root.keys():
        for name, node in _entries(root["functions"]).items():
            said = _entries(node).get("name")
            pattern = f".+-{re.escape(name)}" if said is None else _pattern(_text(said))
            yield _Declared(name, pattern, _slot(text, name, node, "memorySize"))
    else:
        raise InputError(
            f"{file}: neither a CloudFormation or SAM template, nor serverless.yml, nor Terraform (.tf); in CDK code, "
            "set memorySize where the function is made"
        )


def _entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _text(node: yaml.Node) -> str:
    """A name as far as it is said; what !Ref, !Join and the like make of it may be anything."""
    if isinstance(node, yaml.ScalarNode) and node.tag in ("!Sub", "tag:yaml.org,2002:str"):
        return str(node.value)
    sub = _entries(node).get("Fn::Sub")
    return str(sub.value) if isinstance(sub, yaml.ScalarNode) else "${}"


def _slot(text: str, name: str, node: yaml.Node | None, key: str) -> _Slot | str:
    if not isinstance(node, yaml.MappingNode) or not node.value:
        return f"{name} has no block that {key} could go into"
    size = _entries(node).get(key)
    if size is None:
        return _insertion(text, node, key)
    start, end = size.start_mark.index, size.end_mark.index
    if not isinstance(size, yaml.ScalarNode) or not size.value.isdigit():
        return f"{key} of {name} comes from {' '.join(text[start:end].split())}"
    quote = text[start] if text[start] in "'\"" else ""
    return _Slot(start, end, quote, quote)


def _insertion(text: str, node: yaml.MappingNode, key: str) -> _Slot:
    """Before the first entry, written as that is."""
    mark = node.value[0][0].start_mark
    if not node.flow_style:
        return _Slot(mark.index, mark.index, f"{key}: ", _newline(text) + " " * mark.column)
    quote = text[mark.index] if text[mark.index] in "'\"" else ""
    gap = text[node.start_mark.index + 1 : mark.index]
    return _Slot(mark.index, mark.index, f"{quote}{key}{quote}: ", f",{gap}" if "\n" in gap else ", ")


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
