"""The memory report -> patches of the files that declare the functions, printed, or applied with a way back."""

import argparse
import os
import shlex
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from lookout import files, show
from lookout.rewriting import Change, backup, rewrite, uninterrupted
from monitors.errors import InputError
from monitors.rightsize.report import Action, MemoryReport

if TYPE_CHECKING:
    from infra.templates.resizing import Patch

ROLLBACK = "rightsize-rollback.patch"


def check(chosen: argparse.Namespace) -> None:
    """InputError for --apply without --patch, a file that can't be read, and two names of one file.

    Known before any log is read, or a function invoked.
    """
    if chosen.apply and not chosen.patch:
        raise InputError("--apply writes into the files that --patch names: add --patch template.yaml")
    for path in chosen.patch or ():
        files.read_text(path)
    for one, other in combinations(chosen.patch or (), 2):
        if Path(one).samefile(other):
            raise InputError(f"--patch {one} and --patch {other} are one file: name it once")


def patch(report: MemoryReport, paths: Sequence[str], *, apply: bool) -> None:
    """The diffs on standard output, or written into the files; beside it what they leave out, and how to undo it."""
    sizes = {a.function: a.advised_mb for a in report.advice if a.action is not Action.UNKNOWN}
    acted = {a.function for a in report.advice if a.action in (Action.LOWER, Action.RAISE)}
    texts = {path: files.read_text(path) for path in paths}
    patches, refused = _patches(texts, sizes, kept=sizes.keys() - acted)
    for path, function, why in refused:
        if function in acted:
            show.note(f"{path}: {function} is left as it is: {why}")
    if not acted:
        show.note("no function needs another size")
    if missing := sorted(acted.difference(*(each.declared for each in patches.values()), (f for _, f, _ in refused))):
        show.note(f"in none of the files: {', '.join(missing)}")
    if not apply:
        sys.stdout.write("".join(each.diff for each in patches.values()))
    elif any(each.diff for each in patches.values()):
        _apply({path: each for path, each in patches.items() if each.diff}, texts, sizes)
    else:
        show.note("nothing to change: no file was touched")


def _patches(
    texts: Mapping[str, str], sizes: Mapping[str, int], *, kept: Collection[str]
) -> tuple[dict[str, "Patch"], list[tuple[str, str, str]]]:
    """The patch of each file, and what is refused: (file, function, why).

    A function belongs to the file that says most of its name, and to none if two say as much.
    """
    from infra.templates.resizing import resized  # the extra `templates`

    def made(path: str, functions: Mapping[str, int]) -> "Patch":
        return resized(texts[path], os.path.relpath(path), functions, kept=kept)

    first = {path: made(path, sizes) for path in texts}
    owners = {function: _owners(function, first) for function in sizes}
    patches = {
        path: made(path, {function: size for function, size in sizes.items() if owners[function] == [path]})
        for path in texts
    }
    refused = [(path, function, why) for path, each in patches.items() for function, why in each.refused.items()]
    for function, found in owners.items():
        if len(found) > 1:
            refused.append((found[0], function, f"it may be that of {' or '.join(found[1:])}"))
    return patches, refused


def _owners(function: str, patches: Mapping[str, "Patch"]) -> list[str]:
    most = max(each.declared.get(function, 0) for each in patches.values())
    return [path for path, each in patches.items() if each.declared.get(function, 0) == most > 0]


def _apply(patches: Mapping[str, "Patch"], texts: Mapping[str, str], sizes: Mapping[str, int]) -> None:
    folder = _folder([Path(path) for path in patches])
    changes = [Change(Path(path), texts[path], each.text) for path, each in patches.items()]
    with uninterrupted():
        rewrite(changes, rollback=folder / ROLLBACK, undo="".join(_undo(changes, folder)))
        for path, each in patches.items():
            for function, was in each.replaced.items():
                show.note(f"{path}: {function} {f'{was} MB' if was else 'no size of its own'} -> {sizes[function]} MB")
        here = os.path.relpath(folder)
        there = "" if here == "." else f"-d {shlex.quote(here)} "
        show.note(f"originals: {', '.join(str(backup(change.path)) for change in changes)}")
        show.note(f"to undo: patch -p1 {there}< {shlex.quote(os.path.relpath(folder / ROLLBACK))}")


def _folder(paths: Sequence[Path]) -> Path:
    """Where the rollback patch goes, since it can name only files below: here, or else what all the files lie in."""
    parents = [path.resolve().parent for path in paths]
    here = Path.cwd()
    return here if all(parent.is_relative_to(here) for parent in parents) else Path(os.path.commonpath(parents))


def _undo(changes: Sequence[Change], folder: Path) -> Iterator[str]:
    from infra.templates.resizing import diff  # the extra `templates`

    for path, before, after in changes:
        yield diff(after, before, path.resolve().relative_to(folder).as_posix())
