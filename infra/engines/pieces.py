"""A file, .gz or not -> its lines in blocks, so that memory does not grow with it. The edge."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

from monitors.errors import InputError

PIECE = 1 << 18
"""Bytes read at once; those of a .gz file unpack to about ten times as many."""
BLOCK = 1 << 22
"""Bytes unpacked at once."""
LONGEST = 1 << 24
"""Bytes of a line; a longer one is cut, as no log event is longer than 1 MB."""

_GZIP = isal_zlib.MAX_WBITS | 16
"""A member's head and its check sum are read as well."""


class CutShortError(Exception):
    """A .gz file ends before its end, or is broken further on; the blocks before are sound."""


def blocks(path: str) -> Iterator[bytes]:
    r"""The file in blocks of whole lines, each of which ends with \n; - is standard input.

    Raises:
        InputError: it cannot be opened, or is no .gz file at all.
        CutShortError: it is one that is cut short or broken.
    """
    begun = b""
    for piece in _unpacked(path) if path.endswith(".gz") else _pieces(path):
        if end := piece.rfind(b"\n") + 1:
            yield begun + piece[:end]
            begun = piece[end:]
        elif len(begun) + len(piece) > LONGEST:
            yield begun + b"\n"
            begun = piece
        else:
            begun += piece
    if begun:
        yield begun + b"\n"


def _pieces(path: str) -> Iterator[bytes]:
    try:
        with _opened(path) as stream:
            while piece := stream.read(BLOCK if path != "-" else PIECE):
                yield piece
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb")


def _unpacked(path: str) -> Iterator[bytes]:
    """All members of a .gz file; a member's check sum is verified at its end."""
    unpacking = isal_zlib.decompressobj(wbits=_GZIP)
    sound = False
    try:
        for packed in _pieces(path):
            left = packed
            while left:
                if unpacking.eof:
                    unpacking = isal_zlib.decompressobj(wbits=_GZIP)
                if piece := unpacking.decompress(left, BLOCK):
                    sound = True
                    yield piece
                left = unpacking.unconsumed_tail or unpacking.unused_data
    except isal_zlib.error as error:  # type: ignore[misc]  # a class, whatever its stub says
        if not sound:
            raise InputError(f"{path}: no .gz file: {error}") from error
        raise CutShortError(f"{path}: {error}") from error
    if not unpacking.eof:
        if not sound:
            raise InputError(f"{path}: no .gz file, or none with anything in it")
        raise CutShortError(f"{path}: ends before its end")
