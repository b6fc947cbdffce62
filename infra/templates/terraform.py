"""Terraform's text -> the blocks in it that make Lambda functions, and where their memory sizes stand. Pure.

Not an HCL parser: it knows strings, comments, heredocs and braces, which is what finding an argument of a block takes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_LEXEME = re.compile(
    r"""
    <<[-~]?(?P<here>\w+)\r?\n.*?\n[ \t]*(?P=here)\b   # a heredoc
    | "(?:\\.|[^"\\\n])*"
    | \#[^\n]* | //[^\n]* | /\*.*?\*/
    | [{}]
    """,
    re.DOTALL | re.VERBOSE,
)
_BLOCK = re.compile(
    r'^[ \t]*(?P<kind>resource[ \t]+"aws_lambda_function"|module)[ \t]+"(?P<name>[^"\n]+)"[ \t]*\{', re.MULTILINE
)
_NAME = re.compile(
    r'^(?P<indent>[ \t]*)function_name(?P<equals>[ \t]*=[ \t]*)"(?P<name>[^"\n]*)"[^\n]*\n', re.MULTILINE
)
_SIZE = re.compile(r"^[ \t]*memory_size[ \t]*=[ \t]*(?P<size>[^\n]*?)[ \t\r]*$", re.MULTILINE)


class Block(NamedTuple):
    place: str
    """`aws_lambda_function.checkout`, `module.checkout`."""
    name: str
    """The function's, with `${...}` in it."""
    size: str | None
    """What `memory_size` is said to be."""
    span: tuple[int, int]
    """Where that stands in the text."""
    insertion: tuple[int, str] | None
    """Where it would go, and what comes before it. None for a module, which may not know it."""


def blocks(text: str) -> Iterator[Block]:
    """Each block that makes a function and says its name."""
    for block in _BLOCK.finditer(text):
        own = _own(text, block.end())
        named, sized = _NAME.search(own), _SIZE.search(own)
        if not named:
            continue
        start, module = block.end(), block["kind"] == "module"
        lead = f"{named['indent']}memory_size  {named['equals']}"  # as much longer as its name is shorter
        yield Block(
            place=f"{'module' if module else 'aws_lambda_function'}.{block['name']}",
            name=named["name"],
            size=sized["size"] if sized else None,
            span=(start + sized.start("size"), start + sized.end("size")) if sized else (0, 0),
            insertion=None if module else (start + named.end(), lead),
        )


def _own(text: str, start: int) -> str:
    """The block that is open at `start`: blanks stand for comments, heredocs and the blocks within it."""
    kept, depth, at = [], 1, start
    for lexeme in _LEXEME.finditer(text, start):
        between, found = text[at : lexeme.start()], lexeme[0]
        kept += [between, found if found[0] == '"' else _blank(found)] if depth == 1 else [_blank(between + found)]
        at = lexeme.end()
        depth += {"{": 1, "}": -1}.get(found, 0)
        if not depth:
            break
    return "".join(kept)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
