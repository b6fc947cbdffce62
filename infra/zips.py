"""Folders -> zips: the same bytes for the same names and contents, wherever they are made."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold
SKIPPED = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})


def zip_folder(folder: Path) -> bytes:
    """A zip of the folder's files, named relative to it."""
    return zip_files(folder, folder.rglob("*"))


def zip_files(root: Path, paths: Iterable[Path]) -> bytes:
    """A zip of those of the paths that are files worth shipping, named relative to `root`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(paths, key=lambda path: path.relative_to(root).as_posix()):
            if path.is_file() and not SKIPPED.intersection(path.relative_to(root).parts):
                entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), EPOCH)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()
