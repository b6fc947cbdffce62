"""A report -> the file that the user asked for, a page with the script that draws its charts."""

from collections.abc import Mapping
from pathlib import Path

from dashboards import assets
from lookout import files, show
from monitors.errors import InputError

SUFFIXES = (".html", ".csv")


def check(output: str | None) -> None:
    """InputError if no report can be written as that file: known before anything is read, which may take long."""
    if output and Path(output).suffix not in SUFFIXES:
        raise InputError(f"{output}: the report can be written as {' or '.join(SUFFIXES)}")
    if output:
        files.writable(output)


def write(output: str | None, texts: Mapping[str, str]) -> None:
    """Write the text that goes with the file's name, by suffix; nothing where no file is named."""
    if not output:
        return
    files.write(output, texts[Path(output).suffix])
    show.note(f"written to {output}")
    if output.endswith(".html"):
        _write_charts(Path(output).parent)


def _write_charts(folder: Path) -> None:
    """The script that draws the charts, beside the page; without the extra that has it the page shows tables."""
    try:
        files.write(folder / "charts.js", assets.chart_script())
    except ImportError:
        show.note("the page shows tables only: charts need the extra `local` (pip install 'lambda-lookout[local]')")
