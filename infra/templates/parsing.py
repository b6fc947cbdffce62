"""YAML or JSON text -> a template as plain values, or an error with file and line.

Read as CloudFormation reads it: short forms such as `!Ref` become their long ones, dates stay text, a key may stand
only once. Aliases are taken, as the command line tools for SAM take them, but not without bound.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

import yaml

from monitors.errors import InputError
from monitors.fleet.template.intrinsics import DEEPEST
from monitors.fleet.template.nodes import Path

Json = Any

LARGEST = 5_000_000
"""Bytes of a file: CloudFormation takes 1 MB, and comments and indentation may be left out on the way there."""
MOST_NODES = 500_000
"""Values in a template once its aliases are written out."""

SUSPICIOUS = 1_000
"""Levels of nesting, far beyond DEEPEST and far below what crashes."""

_SECTIONS = {"Conditions", "Globals", "Mappings", "Outputs", "Parameters", "Resources"}
_BRACKET = re.compile(r"[\[\]{}]")
_DASHES = re.compile(r"(?:[-?] ){100}")
_MERGE, _TEXT, _LIST, _OBJECT = (f"tag:yaml.org,2002:{name}" for name in ("merge", "str", "seq", "map"))
_FULL_NAMES = {"Ref": "Ref", "Condition": "Condition"}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the fast one, where it is there
    """YAML with CloudFormation's tags, and nothing that CloudFormation would not take for text."""


def _without_dates() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    unwanted = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
    rules = yaml.SafeLoader.yaml_implicit_resolvers.items()
    return {first: [rule for rule in found if rule[0] not in unwanted] for first, found in rules}


def _function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> Json:
    """`!GetAtt a.b` -> {"Fn::GetAtt": ["a", "b"]}, and the like."""
    if isinstance(node, yaml.ScalarNode):
        value: Json = loader.construct_scalar(node)
        value = value.split(".", 1) if name == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {_FULL_NAMES.get(name, f"Fn::{name}"): value}


_Loader.yaml_implicit_resolvers = _without_dates()
_Loader.add_multi_constructor("!", _function)


def parse(text: str, file: str) -> dict[str, Json]:
    """The template in the text.

    InputError for what is neither YAML nor JSON, has a key twice, is nested too deeply, grows too large by its aliases
    or has no Resources.
    """
    try:
        template = _from_either(text, file)
    except RecursionError as error:
        raise InputError(f"{file}: nested too deeply") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise InputError(f"{file}: not a CloudFormation template: it has no Resources")
    for name in _SECTIONS & template.keys():
        if template[name] is None:
            del template[name]
        elif not isinstance(template[name], dict):
            raise InputError(f"{file}: not a CloudFormation template: its {name} are no object")
    return template


def definition(text: str) -> dict[str, Json] | None:
    """An OpenAPI document or state machine definition; None if the text is no object."""
    try:
        found = _from_either(text, "")
    except (InputError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def lines(text: str, paths: Iterable[Path]) -> dict[Path, int]:
    """The line of each of the paths that can be found in the text; of the part before it where it ends sooner."""
    try:
        root = yaml.compose(_spaced(text), _Loader)
    except (yaml.YAMLError, RecursionError):
        return {}
    return {path: line for path in paths if (line := _line(root, path))}


def composed(text: str, file: str) -> yaml.Node | None:
    """The text as nodes, which know where they stand in it; InputError as for `parse`."""
    try:
        root: yaml.Node | None = _from_yaml(text, file, lambda _, node: node)
    except RecursionError as error:
        raise InputError(f"{file}: nested too deeply") from error
    return root


def _from_either(text: str, file: str) -> Json:
    """What begins as JSON may be YAML after all; if it is neither, its error is JSON's."""
    if not text.lstrip().startswith("{"):
        return _from_yaml(text, file)
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        try:
            return _from_yaml(text, file)
        except InputError:
            raise InputError(f"{file}:{error.lineno}:{error.colno}: neither JSON nor YAML: {error.msg}") from error
    except ValueError:
        return _from_yaml(text, file)  # a key stands twice: YAML's error has the place


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _from_yaml(text: str, file: str, made: Callable[[yaml.SafeLoader, yaml.Node], Json] | None = None) -> Json:
    try:
        _check_depth(_spaced(text))
        loader = _Loader(_spaced(text))
        try:
            root = loader.get_single_node()
            if root is None:
                return None
            _check(root, file)
            return (made or _value)(loader, root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise InputError(f"{file}{place}: not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise InputError(f"{file}: not YAML: {' '.join(str(error).split())}") from error


def _spaced(text: str) -> str:
    """Tabs between the parts of JSON are blanks, which YAML does not say."""
    return text.replace("\t", " ") if text.lstrip().startswith("{") else text


def _check_depth(text: str) -> None:
    """RecursionError for text so deeply nested that the YAML library would crash on it, the whole process with it."""
    depth = deepest = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
    if deepest < SUSPICIOUS and not _DASHES.search(text):
        return  # brackets within texts are counted too: only the parser's own events tell
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > SUSPICIOUS:
            raise RecursionError


def _check(root: yaml.Node, file: str) -> None:
    """InputError for a key that stands twice, an alias within itself, or more than MOST_NODES values."""
    sizes: dict[int, int] = {}
    open_: set[int] = set()

    def size(node: yaml.Node, depth: int) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1
        if id(node) in sizes:
            return sizes[id(node)]
        if id(node) in open_:
            raise InputError(f"{file}:{node.start_mark.line + 1}: an alias refers to what it is part of")
        if depth > DEEPEST:
            raise RecursionError
        open_.add(id(node))
        total = 1 + sum([size(child, depth + 1) for child in _children(node)])
        open_.discard(id(node))
        if isinstance(node, yaml.MappingNode):
            _check_keys(node, file)
        if total > MOST_NODES:
            raise InputError(f"{file}: more than {MOST_NODES:,} values once its aliases are written out")
        sizes[id(node)] = total
        return total

    size(root, 0)


def _children(node: yaml.Node) -> Iterable[yaml.Node]:
    return chain.from_iterable(node.value) if isinstance(node, yaml.MappingNode) else node.value


def _check_keys(node: yaml.MappingNode, file: str) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise InputError(f"{_place(key, file)}: a key must be text")
        if key.value in seen and key.tag != _MERGE:
            raise InputError(f"{_place(key, file)}: the key {key.value!r} stands here twice")
        seen.add(key.value)


def _place(node: yaml.Node, file: str) -> str:
    return f"{file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _value(loader: yaml.SafeLoader, node: yaml.Node) -> Json:
    """What a node stands for; the library itself is asked only for what is neither plain text, list nor object."""
    if node.tag == _TEXT:
        return node.value
    if node.tag == _LIST and isinstance(node, yaml.SequenceNode):
        return [_value(loader, item) for item in node.value]
    if node.tag == _OBJECT and isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)  # keys merged in come first, so that the node's own win
        return {key.value: _value(loader, value) for key, value in node.value}
    return _plain(loader.construct_object(node, deep=True))


def _plain(value: Json) -> Json:
    """The value with keys that are text, and nothing in it that JSON has no word for."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _line(root: yaml.Node | None, path: Path) -> int:
    node, line = root, 0
    for step in path:
        if isinstance(node, yaml.MappingNode):
            key, node = next(((key, value) for key, value in node.value if key.value == step), (None, None))
            line = key.start_mark.line + 1 if key else line
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line
