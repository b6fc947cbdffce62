"""The text of a segment document -> its JSON value, at any depth of nesting, and back."""

import json
import re
from collections.abc import Iterable

import orjson

_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|NaN|Infinity', re.DOTALL)
_NESTED = "NaN"
"""Stands for a nested value in the text around it: the one scalar that JSON itself cannot contain."""


def decode(text: str) -> object:
    """The JSON value of a text; raises ValueError if it is none.

    orjson takes a third of the standard library's time, but knows no NaN. Both give up on chains of subsegments that
    X-Ray accepts: those are read again from the inside out.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text)
        except RecursionError:
            return decode_deep(text)


def encoded(value: object) -> object:
    """The text of a JSON value; the value itself where orjson makes none, as of one nested too deep."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return value


def decode_deep(text: str) -> object:
    """What json.loads returns for valid JSON, without its limit of depth; raises ValueError for anything else."""
    texts: list[list[str]] = [[]]
    values: list[list[object]] = [[]]
    done = 0
    for mark in _MARK.finditer(text):
        sign = mark[0]
        if sign[0] == '"':
            continue
        if sign in "{[":
            texts[-1].append(text[done : mark.start()])
            done = mark.start()
            texts.append([])
            values.append([])
        elif sign in "}]" and len(texts) > 1:
            texts[-1].append(text[done : mark.end()])
            done = mark.end()
            value = _flat(texts.pop(), values.pop())
            texts[-1].append(_NESTED)
            values[-1].append(value)
        else:
            raise ValueError(f"{sign} at character {mark.start()} of the document")
    if len(texts) > 1:
        raise ValueError("the document ends too early")
    return _flat([*texts[0], text[done:]], values[0])


def _flat(texts: list[str], nested: Iterable[object]) -> object:
    waiting = iter(nested)
    value: object = json.loads("".join(texts), parse_constant=lambda _: next(waiting, None))
    return value
