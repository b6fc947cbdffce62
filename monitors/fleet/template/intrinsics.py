"""CloudFormation's intrinsic functions -> values, as far as they can be known before a deployment. Pure.

What only a deployment decides stays in the text as `${...}`, in the words of Fn::Sub: `${Timeout}` is a parameter,
`${Queue.Arn}` an attribute, `${AWS::Region}` the Region. A function that Fn::Sub has no words for is kept whole, as
its JSON with the braces percent-encoded (`shown` makes it readable). Parameters are known where they were given; a
default is not an answer, since any deployment may give another.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

Json = Any

NO_VALUE = object()
"""What `AWS::NoValue` comes to: the property is not there."""
DEEPEST = 100
"""Levels of nesting; CloudFormation's own parser takes no more."""

_VARIABLE = re.compile(r"\$\{(!?)\s*([^}]*?)\s*\}")
_TOKEN = re.compile(r"\$\{([^{}]+)\}")
_KNOWN_PSEUDO = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
_PSEUDO = {"AWS::AccountId", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::NotificationARNs"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What the intrinsic functions of one template can refer to."""

    parameters: Mapping[str, Json]
    """Values given."""
    declared: Mapping[str, Json] = field(default_factory=dict)
    """The template's Parameters."""
    mappings: Mapping[str, Json] = field(default_factory=dict)
    conditions: Mapping[str, Json] = field(default_factory=dict)
    attribute: Callable[[str, str], str | None] = lambda _id, _name: None
    """(logical id, attribute, or empty for Ref) -> its text; None if there is no such resource."""
    imports: Mapping[str, str] = field(default_factory=dict)
    """Exports of the other templates at hand."""
    dangling: list[str] = field(default_factory=list)
    """References to nothing, collected as they are met."""


def known(text: Json) -> bool:
    """Whether nothing of it is left to the deployment."""
    return not (isinstance(text, str) and "${" in text)


def shown(text: str) -> str:
    """The text with whole functions in readable JSON."""
    return unquote(text) if "${%7B" in text else text


def written(value: Json) -> Json:
    """The opposite of `resolve`: the value with all text that has `${...}` in it as the functions it stands for."""
    if isinstance(value, list):
        return [written(item) for item in value]
    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items()}
    if known(value):
        return value
    if (whole := _TOKEN.fullmatch(value)) is not None:
        return _reference(whole[1])
    functions = {f"Part{number}": _reference(inner) for number, inner in enumerate(_opaque(value))}
    text = value
    for variable, inner in zip(functions, _opaque(value), strict=True):
        text = text.replace(f"${{{inner}}}", f"${{{variable}}}")
    return {"Fn::Sub": [text, functions] if functions else text}


def _opaque(text: str) -> list[str]:
    """The whole functions in the text, each once."""
    return list(dict.fromkeys(inner for inner in _TOKEN.findall(text) if inner.startswith("%7B")))


def _reference(inner: str) -> Json:
    if inner.startswith("%7B"):
        return written(json.loads(unquote(inner)))
    logical_id, dot, attribute = inner.partition(".")
    return {"Fn::GetAtt": [logical_id, attribute]} if dot else {"Ref": inner}


def resolve(value: Json, scope: Scope, depth: int = 0) -> Json:
    """The value with every intrinsic function in it answered or kept as text.

    NO_VALUE where all of it is `AWS::NoValue`. Raises RecursionError beyond DEEPEST levels.
    """
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, list):
        items = [resolve(item, scope, depth + 1) for item in value]
        return [item for item in items if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name in _FUNCTIONS:
            answer = _FUNCTIONS[name](argument, scope, depth + 1)
            return _kept(name, argument, scope, depth) if answer is None else answer
        if isinstance(name, str) and name.startswith("Fn::"):
            return _kept(name, argument, scope, depth)
    return {
        key: found
        for key, item in value.items()
        if (found := item if isinstance(item, str) else resolve(item, scope, depth + 1)) is not NO_VALUE
    }


def condition(name: str, scope: Scope, asked: tuple[str, ...] = ()) -> bool | None:
    """Whether a condition of the template holds; None if only the deployment decides, or it is not there."""
    if name not in scope.conditions or name in asked:
        scope.dangling.append(f"condition {name}")
        return None
    return _holds(scope.conditions[name], scope, (*asked, name))


def _holds(test: Json, scope: Scope, asked: tuple[str, ...]) -> bool | None:
    if not isinstance(test, dict) or len(test) != 1:
        return None
    ((name, argument),) = test.items()
    if name == "Condition":
        return condition(str(argument), scope, asked)
    arguments = argument if isinstance(argument, list) else [argument]
    if name == "Fn::Equals" and len(arguments) == 2:
        one, other = (resolve(each, scope) for each in arguments)
        if known(one) and known(other):
            return _text(one) == _text(other)
        return True if one == other else None
    answers = [_holds(each, scope, asked) for each in arguments]
    if not answers:
        return None
    match name:
        case "Fn::Not":
            return None if answers[0] is None else not answers[0]
        case "Fn::And":
            return False if False in answers else None if None in answers else True
        case "Fn::Or":
            return True if True in answers else None if None in answers else False
    return None


def _kept(name: str, argument: Json, scope: Scope, depth: int) -> str:
    """The function as text, with what is known of its argument filled in."""
    filled = {name: resolve(argument, scope, depth + 1)}
    return "${" + quote(json.dumps(filled, default=lambda _: None), safe=' ",:[]()=.*-') + "}"


def _ref(argument: Json, scope: Scope, _depth: int) -> Json:
    name = argument if isinstance(argument, str) else ""
    if name == "AWS::NoValue":
        return NO_VALUE
    if name in scope.parameters:
        return _given(scope.parameters[name], scope.declared.get(name))
    if name in _KNOWN_PSEUDO:
        return _KNOWN_PSEUDO[name]
    text = scope.attribute(name, "")
    if text is None and name not in scope.declared and name not in _PSEUDO:
        scope.dangling.append(f"Ref {name}")
    return f"${{{name}}}" if text is None else text


def _given(value: Json, declaration: Json) -> Json:
    """A parameter's value as its type has it: a list is given as text with commas."""
    kind = declaration.get("Type") if isinstance(declaration, dict) else None
    if isinstance(value, str) and isinstance(kind, str) and (kind == "CommaDelimitedList" or kind.startswith("List<")):
        return [part.strip() for part in value.split(",")]
    return value


def _get_att(argument: Json, scope: Scope, depth: int) -> Json:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[0], str):
        return None
    named = [part if isinstance(part, str) else _text(resolve(part, scope, depth)) for part in parts[1:]]
    attribute = ".".join(named)
    text = scope.attribute(parts[0], attribute)
    if text is None:
        scope.dangling.append(f"Fn::GetAtt {parts[0]}.{attribute}")
    return f"${{{parts[0]}.{attribute}}}" if text is None else text


def _sub(argument: Json, scope: Scope, depth: int) -> Json:
    text, variables = (
        (argument[0], argument[1]) if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    )
    if not isinstance(text, str) or not isinstance(variables, dict):
        return None

    def filled(found: re.Match[str]) -> str:
        literal, name = found.groups()
        if literal:
            return f"${{{name}}}"
        if name in variables:
            value = resolve(variables[name], scope, depth)
        elif "." in name:
            value = _get_att(name, scope, depth)
        else:
            value = _ref(name, scope, depth)
        return "" if value is NO_VALUE else _text(value)

    return _VARIABLE.sub(filled, text)


def _join(argument: Json, scope: Scope, depth: int) -> Json:
    if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
        return None
    parts = resolve(argument[1], scope, depth)
    return argument[0].join(_text(part) for part in parts) if isinstance(parts, list) else None


def _select(argument: Json, scope: Scope, depth: int) -> Json:
    found = resolve(argument, scope, depth)
    if not isinstance(found, list) or len(found) != 2 or not isinstance(found[1], list):
        return None
    number = _text(found[0])
    return found[1][int(number)] if number.isdecimal() and int(number) < len(found[1]) else None


def _split(argument: Json, scope: Scope, depth: int) -> Json:
    found = resolve(argument, scope, depth)
    if not isinstance(found, list) or len(found) != 2 or not all(isinstance(part, str) for part in found):
        return None
    return found[1].split(found[0]) if found[0] and known(found[1]) else None


def _find_in_map(argument: Json, scope: Scope, depth: int) -> Json:
    found = resolve(argument, scope, depth)
    if not isinstance(found, list) or len(found) not in (3, 4):
        return None
    value: Json = scope.mappings
    for key in found[:3]:
        value = value.get(key) if isinstance(value, dict) and isinstance(key, str | int) else None
    default = found[3].get("DefaultValue") if len(found) == 4 and isinstance(found[3], dict) else None
    return default if value is None and all(map(known, found[:3])) else value


def _if(argument: Json, scope: Scope, depth: int) -> Json:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        return None
    holds = condition(argument[0], scope)
    if holds is not None:
        return resolve(argument[1 if holds else 2], scope, depth)
    one, other = (resolve(branch, scope, depth) for branch in argument[1:])
    return one if one == other else None


def _import_value(argument: Json, scope: Scope, depth: int) -> Json:
    name = resolve(argument, scope, depth)
    return scope.imports.get(name) if isinstance(name, str) else None


def _to_json_string(argument: Json, scope: Scope, depth: int) -> Json:
    return json.dumps(resolve(argument, scope, depth), default=lambda _: None)


def _text(value: Json) -> str:
    """A value as CloudFormation puts it into text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, default=lambda _: None)


_FUNCTIONS: Mapping[str, Callable[[Json, Scope, int], Json]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find_in_map,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::ToJsonString": _to_json_string,
}
"""Each gives None for what cannot be known, or is not as CloudFormation would have it."""
