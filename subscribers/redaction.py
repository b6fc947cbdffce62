"""Log lines -> log lines without the secrets that are known by their shape. Pure.

A net for the common cases before text leaves the account by mail, not a promise: what looks like nothing in
particular can't be told from any other word.
"""

import re

_GONE = r"\g<keep>[redacted]"
_SHAPES = (
    # AWS access key ids: IAM User Guide, "IAM identifiers", unique id prefixes
    re.compile(r"(?P<keep>)\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(
        r"(?P<keep>)-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
    ),
    # JSON Web Tokens: three base64url parts, the first of which encodes {"
    re.compile(r"(?P<keep>)\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"),
    re.compile(r"(?P<keep>\b(?:Bearer|Basic)\s{1,3})[\w.~+/=-]{6,}", re.IGNORECASE),
    re.compile(r"(?P<keep>://[^\s:/@]{1,200}:)[^\s/@]{1,200}(?=@)"),
    re.compile(
        r"""(?P<keep>(?:passwords?|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)
        [\w-]{0,30}\\?["']?\s{0,3}(?:=>|[:=])\s{0,3}\\?)(?:"[^"]{1,500}"?|'[^']{1,500}'?|[^\s"',;&}\])]{1,500})""",
        re.IGNORECASE | re.VERBOSE,
    ),
)


def redacted(text: str) -> str:
    """The text with AWS keys, private keys, tokens, passwords in URLs and values named like secrets replaced."""
    for shape in _SHAPES:
        text = shape.sub(_GONE, text)
    return text
