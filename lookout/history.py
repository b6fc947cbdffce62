"""The weeks of latency that a folder keeps, one file each."""

from pathlib import Path

from lookout import files
from monitors.errors import InputError
from monitors.traces import history
from monitors.traces.history import Week


def weeks(folder: str) -> list[Week]:
    """Weeks that a trend needs; none if the folder is not there yet. InputError if it is a file or one is broken."""
    if Path(folder).exists() and not Path(folder).is_dir():
        raise InputError(f"{folder}: cannot be written: it is no folder")
    names = history.recent(path.name for path in Path(folder).glob("*.json"))
    return [history.from_text(files.read_text(str(path)), str(path)) for path in (Path(folder, name) for name in names)]


def keep(folder: str, week: Week) -> None:
    """Write the week's file, in place of the one that began on the same day if there is one; InputError if it fails.

    It is there whole or not at all: a full disk would leave half a week, which no later report could read.
    """
    target = Path(folder, history.file_name(week))
    part = target.with_suffix(".part")
    files.write(part, history.to_text(week))
    part.replace(target)
