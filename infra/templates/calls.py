"""What source code in either of CDK's languages calls to make something: the records. Pure."""

from typing import NamedTuple


class Argument(NamedTuple):
    """The value of a named argument or property."""

    start: int
    end: int
    """Where it stands in the text."""
    said: str
    """What text it is, as far as it is written: `shop-${}`, where `${}` is what only running it would tell."""


class Call(NamedTuple):
    """`new lambda.Function(this, 'Orders', {memorySize: 512})`, `_lambda.Function(self, "Orders", memory_size=512)`."""

    line: int
    """From 1."""
    callee: str
    """With what the file imports written out: `aws-cdk-lib/aws-lambda.Function`."""
    scope: str
    """The first argument, as written."""
    id: str
    """The second, as far as it is said."""
    base: str
    """What the class around it extends, without its module; empty if there is none."""
    named: tuple[tuple[str, Argument], ...]
    opaque: tuple[int, str] | None
    """What may hold more of them, `...defaults` or `props`, and where: it overrules those before it."""
    first: int | None
    """Where the first named argument begins."""
