"""Keys -> buckets that are small enough, so that one more key changes one bucket and moves nothing else. Pure.

A bucket is named by the first bits of its keys' hashes. One that grows too big is split by the next bit; all others
stay as they are. Where a key lands depends on the key, and on how full that one bucket is.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

_LONGEST = 64


def buckets(keys: Iterable[str], small_enough: Callable[[Sequence[str]], bool]) -> dict[str, tuple[str, ...]]:
    """Bits -> keys, both in order. All keys in one bucket, named by the empty string, if they fit.

    A key that is too big by itself has a bucket of its own.
    """
    found = sorted(set(keys))
    if small_enough(found):
        return {"": tuple(found)} if found else {}
    return dict(sorted(_split("", [(key, _bits(key)) for key in found], small_enough)))


def _split(
    prefix: str, hashed: Sequence[tuple[str, str]], small_enough: Callable[[Sequence[str]], bool]
) -> list[tuple[str, tuple[str, ...]]]:
    keys = tuple(key for key, _ in hashed)
    if len(keys) <= 1 or small_enough(keys) or len(prefix) == _LONGEST:
        return [(prefix, keys)] if keys else []
    return [
        bucket
        for bit in "01"
        for bucket in _split(prefix + bit, [one for one in hashed if one[1][len(prefix)] == bit], small_enough)
    ]


def _bits(key: str) -> str:
    return f"{int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], 'big'):064b}"
