"""TypeScript's or JavaScript's text -> the `new` expressions in it, with the places of their properties. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from infra.templates import typescript
from infra.templates.calls import Argument, Call
from monitors.errors import InputError


class _Source(NamedTuple):
    text: str
    tokens: Sequence[typescript.Token]
    closers: Mapping[int, int]
    """By the number of an opening bracket's token, that of the closing one."""


def calls(text: str, file: str) -> Iterator[Call]:
    """Each `new` of something that has a name; InputError where strings or brackets are not closed."""
    try:
        found = list(typescript.tokens(text))
        source = _Source(text, found, typescript.closers(found))
    except typescript.UnclosedError as error:
        at: int = error.args[0]
        raise InputError(f"{file}:{_line(text, at)}: {text[at : at + 1]} is not closed") from error
    except RecursionError as error:
        raise InputError(f"{file}: nested too deeply") from error
    imported, classes = dict(_imports(source)), list(_classes(source))
    for number, token in enumerate(found):
        if token.said == "new" and token.kind == "word":
            names, at = _path(source, number + 1)
            if names and at in source.closers and found[at].said == "(":
                base = next((base for first, last, base in reversed(classes) if first < number < last), "")
                yield _call(source, at, ".".join((imported.get(names[0], names[0]), *names[1:])), base)


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _path(source: _Source, at: int) -> tuple[list[str], int]:
    """The names of `a.b.c`, and the number of the token after it."""
    names: list[str] = []
    tokens = source.tokens
    while at < len(tokens) and tokens[at].kind == "word":
        names.append(tokens[at].said)
        at += 1
        if at >= len(tokens) or tokens[at].said != ".":
            break
        at += 1
    return names, at


def _parts(source: _Source, first: int, last: int, mark: str) -> list[tuple[int, int]]:
    """The tokens from `first` to before `last`, split at a mark that is in no bracket; without empty parts."""
    parts, begun, at = [], first, first
    while at < last:
        if source.tokens[at].kind == "mark" and source.tokens[at].said == mark:
            parts.append((begun, at))
            begun = at + 1
        at = source.closers.get(at, at) + 1
    return [(begin, end) for begin, end in (*parts, (begun, last)) if begin < end]


def _imports(source: _Source) -> Iterator[tuple[str, str]]:
    """Local name -> what it stands for, of `import ... from "module"` and `const ... = require("module")`."""
    tokens = source.tokens
    for number, token in enumerate(tokens):
        if token.kind == "word" and token.said in ("import", "const", "let", "var"):
            end = next((at for at in range(number + 1, len(tokens)) if tokens[at].said in ("from", "=", ";")), None)
            if end is None:
                continue
            module = end + 1 if tokens[end].said == "from" else end + 3
            required = tokens[end].said == "from" or [t.said for t in tokens[end + 1 : end + 3]] == ["require", "("]
            if required and module < len(tokens) and tokens[module].kind == "string":
                yield from _bound(source, number + 1, end, tokens[module].said)


def _bound(source: _Source, first: int, last: int, module: str) -> Iterator[tuple[str, str]]:
    for begin, end in _parts(source, first, last, ","):
        if source.tokens[begin].said == "{":
            for part in _parts(source, begin + 1, source.closers[begin], ","):
                words = [token.said for token in source.tokens[slice(*part)] if token.kind == "word"]
                names = words[1:] if words[:1] == ["type"] and len(words) > 1 else words
                if names:
                    yield names[-1], f"{module}.{names[0]}"
        else:
            yield source.tokens[end - 1].said, module


def _classes(source: _Source) -> Iterator[tuple[int, int, str]]:
    """The bodies of classes, and what each extends: the last of its names."""
    tokens = source.tokens
    for number, token in enumerate(tokens):
        if token.said == "class" and token.kind == "word":
            body = next((at for at in range(number + 1, len(tokens)) if tokens[at].said in ("{", "(", ";")), None)
            if body is None or tokens[body].said != "{":
                continue
            words = [each.said for each in tokens[number + 1 : body]]
            base = _path(source, number + 2 + words.index("extends"))[0] if "extends" in words else []
            yield body, source.closers[body], base[-1] if base else ""


def _call(source: _Source, at: int, callee: str, base: str) -> Call:
    given = dict(zip(("scope", "id", "props"), _parts(source, at + 1, source.closers[at], ","), strict=False))
    named, opaque, first = _properties(source, *given["props"]) if "props" in given else ((), None, None)
    return Call(
        line=_line(source.text, source.tokens[at].start),
        callee=callee,
        scope=_words(source, *given["scope"]) if "scope" in given else "",
        id=_said(source, *given["id"]) if "id" in given else "",
        base=base,
        named=named,
        opaque=opaque,
        first=first,
    )


def _words(source: _Source, first: int, last: int) -> str:
    return source.text[source.tokens[first].start : source.tokens[last - 1].end]


def _said(source: _Source, first: int, last: int) -> str:
    """What a string says, or several put together with +."""
    parts = [source.tokens[begin] if end - begin == 1 else None for begin, end in _parts(source, first, last, "+")]
    return "".join(part.said if part and part.kind == "string" else "${}" for part in parts)


def _properties(
    source: _Source, first: int, last: int
) -> tuple[tuple[tuple[str, Argument], ...], tuple[int, str] | None, int | None]:
    """Those of an object that is written here: (named, opaque, first) as in a Call."""
    tokens, close = source.tokens, source.closers.get(first, -1)
    written = tokens[first].said == "{" and (close == last - 1 or tokens[close + 1].said in ("as", "satisfies"))
    if not written:
        return (), (tokens[last - 1].end, _words(source, first, last)), None
    named: list[tuple[str, Argument]] = []
    opaque: tuple[int, str] | None = None
    entries = _parts(source, first + 1, close, ",")
    for begin, end in entries:
        key = tokens[begin]
        if key.said in ("...", "[") and key.kind == "mark":
            opaque = key.start, _words(source, begin, end)
        elif end - begin == 1:
            named.append((key.said, Argument(key.start, key.end, "${}")))
        elif tokens[begin + 1].said == ":" and end - begin > 2:
            value = (begin + 2, end)
            span = tokens[begin + 2].start, tokens[end - 1].end
            named.append((key.said, Argument(*span, _said(source, *value))))
    return tuple(named), opaque, tokens[entries[0][0]].start if entries else None
