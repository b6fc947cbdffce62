"""A template's text and memory sizes -> a patch that sets those sizes and leaves every other character. Pure.

For CloudFormation and SAM (YAML and JSON), the Serverless Framework's `serverless.yml`, Terraform, and CDK's code in
TypeScript, JavaScript and Python.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import yaml

from infra.templates import cdk
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
    text: str
    """The file's, with the sizes in it."""
    declared: Mapping[str, int]
    """The functions that the file declares, refused or not; how much of the name it says, in characters; 1 in doubt."""
    replaced: Mapping[str, str]
    """By function that gets another size, what the file said; empty if nothing."""
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
    said: int
    """How many characters of the deployed function's name the file says."""
    doubt: Callable[[str], str | None]
    """Whether a deployed function is this one, by name: '' if so, None if not, or why that is not sure."""
    slot: _Slot | str
    """Or why there is none."""


def resized(text: str, file: str, sizes: Mapping[str, int], *, kept: Collection[str] = ()) -> Patch:
    """The patch that gives these functions (by deployed name) these sizes (MB), as far as the file declares them.

    A function is declared where its name fits, variables standing for anything; where several fit, by the one that says
    most of it. What several functions share, such as stages of one template, changes if all are to have one size; for
    those that are `kept` alone, nothing does. InputError for a file of another kind.
    """
    wanted, said, refused = _matched(sizes, list(_declared(text, file)))
    edits: dict[_Slot, int] = {}
    replaced: dict[str, str] = {}
    for slot, functions in wanted.items():
        if isinstance(slot, str):
            refused |= dict.fromkeys(functions, slot)
        elif len({sizes[function] for function in functions}) > 1:
            told = ", ".join(f"{function} {sizes[function]} MB" for function in functions)
            refused |= dict.fromkeys(functions, f"one place for several: {told}")
        elif set(functions) - set(kept):
            edits[slot] = sizes[functions[0]]
            was = text[slot.start : slot.end].strip("'\"")
            replaced |= dict.fromkeys(functions, was) if was != str(edits[slot]) else {}
    changed = _edited(text, edits)
    return Patch(diff=diff(text, changed, file), text=changed, declared=said, replaced=replaced, refused=refused)


def _matched(
    functions: Iterable[str], declared: Sequence[_Declared]
) -> tuple[dict[_Slot | str, list[str]], dict[str, int], dict[str, str]]:
    """What belongs to each slot; how much of each function's name is said; what is refused, and why."""
    wanted: dict[_Slot | str, list[str]] = {}
    said: dict[str, int] = {}
    refused: dict[str, str] = {}
    for function in sorted(functions):
        best = _best(function, declared)
        if not best:
            continue
        why = best[0].doubt(function)
        said[function] = 1 if why else best[0].said
        if len(best) > 1:
            refused[function] = f"it may be {' or '.join(one.place for one in best)}"
        elif why:
            refused[function] = why
        else:
            wanted.setdefault(best[0].slot, []).append(function)
    return wanted, said, refused


def _edited(text: str, edits: Mapping[_Slot, int]) -> str:
    for (start, end, before, after), size in sorted(edits.items(), reverse=True):
        text = f"{text[:start]}{before}{size}{after}{text[end:]}"
    return text


def diff(text: str, changed: str, file: str) -> str:
    """What makes one text the other, as a unified diff; empty if they are the same."""
    end = "\t" if " " in file else ""  # where the name ends: GNU patch would take the first blank for that
    lines = difflib.unified_diff(_LINE.findall(text), _LINE.findall(changed), f"a/{file}{end}", f"b/{file}{end}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _best(function: str, declared: Sequence[_Declared]) -> list[_Declared]:
    doubts = [(one, one.doubt(function)) for one in declared]
    fitting = [one for one, doubt in doubts if doubt is not None]
    found = [one for one, doubt in doubts if doubt == ""] or fitting
    most = max((one.said for one in found), default=0)
    return [one for one in found if one.said == most]


def _declared(text: str, file: str) -> Iterator[_Declared]:
    if file.endswith(cdk.ENDINGS):
        return _cdk(text, file)
    return _terraform(text) if file.endswith(".tf") else _yaml(text, file)


def _called(place: str, name: str, slot: _Slot | str) -> _Declared:
    """What is declared under a name of its own."""
    return _Declared(place, len(_VARIABLE.sub("", name)), partial(_mismatch, _pattern(name)), slot)


def _generated(place: str, name: str, ending: str, slot: _Slot | str) -> _Declared:
    """What CloudFormation or Serverless names, by stack or service, this name and an ending."""
    return _Declared(place, len(name), partial(_mismatch, f".+-{re.escape(name)}{ending}"), slot)


def _mismatch(pattern: str, function: str) -> str | None:
    return "" if re.fullmatch(pattern, function) else None


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
        yield _called(block.place, block.name, slot)


def _cdk(text: str, file: str) -> Iterator[_Declared]:
    for made in cdk.functions(text, file):
        slot = made.size if isinstance(made.size, str) else _Slot(*made.size)
        if made.name is None:
            yield _Declared(made.place, len(made.id), partial(cdk.doubt, made), slot)
        else:
            yield _called(made.place, made.name, slot)


def _yaml(text: str, file: str) -> Iterator[_Declared]:
    root = _entries(composed(text, file))
    if "Resources" in root:
        for name, node in _entries(root["Resources"]).items():
            resource = _entries(node)
            kind, properties = resource.get("Type"), resource.get("Properties")
            if isinstance(kind, yaml.ScalarNode) and kind.value in _FUNCTIONS:
                said = _entries(properties).get("FunctionName")
                slot = _slot(text, name, properties, "MemorySize")
                yield _generated(name, name, _SUFFIX, slot) if said is None else _called(name, _text(said), slot)
    elif {"functions", "service"} <= root.keys():
        for name, node in _entries(root["functions"]).items():
            said = _entries(node).get("name")
            slot = _slot(text, name, node, "memorySize")
            yield _generated(name, name, "", slot) if said is None else _called(name, _text(said), slot)
    else:
        raise InputError(
            f"{file}: neither a CloudFormation or SAM template, nor serverless.yml, Terraform (.tf) or CDK code "
            "(.ts, .js, .py)"
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
