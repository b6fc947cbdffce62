"""The environment of a run that must talk to the embedded account and to nothing else."""

import contextlib
import os
from collections.abc import Iterator, Mapping

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@contextlib.contextmanager
def only(account: Mapping[str, str]) -> Iterator[None]:
    """For the time of a `with` block, no AWS setting or proxy but those of the account."""
    before = dict(os.environ)
    for name in before:
        if name.upper().startswith("AWS_") or name.upper() in PROXIES:
            del os.environ[name]
    os.environ.update(account)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
