"""What `lookout traces` refuses before it reads or writes anything."""

import json
from pathlib import Path

import pytest

from lookout.cli import main

TRACE = {
    "Id": "1-6553f100-000000000000000000000001",
    "Segments": [
        {
            "Document": {
                "id": "0000000000000001",
                "trace_id": "1-6553f100-000000000000000000000001",
                "name": "orders",
                "origin": "AWS::Lambda",
                "start_time": 1700000000.0,
                "end_time": 1700000000.2,
            }
        }
    ],
}


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "traces.csv"
    path.write_text(json.dumps(TRACE) + "\n")
    return path


@pytest.mark.parametrize("flag", ["--per-trace", "--output"])
@pytest.mark.parametrize("role", ["--file", "--before"])
def test_what_is_read_is_not_written_over(
    role: str, flag: str, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "now.jsonl").write_text(exported.read_text())
    link = tmp_path / "same.csv"
    link.symlink_to(exported)
    before = exported.read_text()
    files = {"--file": str(tmp_path / "now.jsonl"), role: str(exported), flag: str(link)}
    assert main(["traces", *(word for pair in files.items() for word in pair)]) == 2
    assert "same.csv: is read: name another file to write" in capsys.readouterr().err
    assert exported.read_text() == before


def test_a_report_that_cannot_be_written_is_told_before_reading(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "lines.jsonl"
    assert main(["traces", "--file", str(exported), "--per-trace", str(lines), "-o", "report.pdf"]) == 2
    assert capsys.readouterr().err == "error: report.pdf: the report can be written as .html or .csv\n"
    assert not lines.exists()


def test_history_in_a_file_is_told_before_the_report(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["traces", "--file", str(exported), "--history", str(exported)]) == 2
    told = capsys.readouterr()
    assert "cannot be written: it is no folder" in told.err
    assert not told.out
