"""`lookout rightsize` with an earlier report and with a user's prices."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lookout import cli, rightsize
from monitors.errors import InputError
from tests.test_cli_reports import report_line

FIRST_MS = 1_793_491_200_000  # 2026-11-01 00:00 UTC
PRICES = "region,arch,usd_per_gb_second_tier1,usd_per_1m_requests\nus-east-1,x86_64,0.0000333334,0.40\n"


def write_logs(path: Path, sizes: list[int], *, first_ms: int = FIRST_MS) -> None:
    """A function that waits 100 ms at any size, every quarter of an hour, in 30 sandboxes of each size."""
    path.write_text(
        "\n".join(
            json.dumps(
                {
                    "logGroup": "/aws/lambda/shop-orders",
                    "logStream": f"{size}-{number % 30}",
                    "timestamp": first_ms + number * 900_000,
                    "message": report_line(number, memory_mb=size),
                }
            )
            for number, size in enumerate(sizes)
        )
    )


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """(stdout, stderr)."""
    assert cli.main(["rightsize", *arguments]) in (0, 1)
    told = capsys.readouterr()
    return told.out, told.err


@pytest.fixture
def weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Two weeks of logs: the report of the first says to go from 2,048 to 128 MB, and so it was done."""
    monkeypatch.chdir(tmp_path)
    write_logs(Path("first.jsonl"), [1024] * 300 + [2048] * 900)
    write_logs(Path("second.jsonl"), [128] * 1200, first_ms=FIRST_MS + 1200 * 900_000)
    out, _ = run(capsys, "first.jsonl", "--json")
    Path("before.json").write_text(out)
    return json.loads(out)


def test_what_became_of_the_advice_is_in_page_json_and_terminal(weeks: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert weeks["before"] is None
    (advised,) = weeks["advice"]
    assert (advised["memory_mb"], advised["advised_mb"]) == (2048, 128)
    out, _ = run(capsys, "second.jsonl", "--before", "before.json", "--json")
    before = json.loads(out)["before"]
    (found,) = before["advice"]
    assert (before["start"], before["end"]) == (weeks["start"], weeks["end"])
    assert (found["outcome"], found["was_mb"], found["now_mb"]) == ("applied", 2048, 128)
    assert (found["p95_ms"]["inside"], found["usd_month"]["inside"]) == (True, True)  # it waits 100 ms as before
    out, _ = run(capsys, "second.jsonl", "--before", "before.json")
    assert "Last time's advice. Of 1 function: 1 applied." in out
    run(capsys, "second.jsonl", "--before", "before.json", "-o", "page.html")
    assert "Of 1 function: 1 applied." in Path("page.html").read_text()


def test_a_file_of_something_else_is_refused_before_any_log_is_read(weeks: Any) -> None:
    del weeks
    Path("other.json").write_text('{"functions": []}')
    chosen = cli._parser().parse_args(["rightsize", "missing.jsonl", "--before", "other.json"])
    with pytest.raises(InputError, match=r"^other\.json: no memory report: 'advice' is missing$"):
        rightsize.rightsize(chosen)


def test_prices_of_a_file_take_the_place_of_ours_and_their_date_is_told(
    weeks: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice the prices of us-east-1, in a file last changed on 2026-10-05."""
    Path("prices.csv").write_text(PRICES)
    os.utime("prices.csv", (1_791_158_400, 1_791_158_400))  # date -u -d 2026-10-05 +%s
    found = json.loads(run(capsys, "first.jsonl", "--prices", "prices.csv", "--json")[0])
    assert found["prices_date"] == "2026-10-05"
    assert found["advice"][0]["now_usd_month"] == pytest.approx(2 * weeks["advice"][0]["now_usd_month"], rel=1e-5)
    run(capsys, "first.jsonl", "--prices", "prices.csv", "-o", "page.html")
    assert "Prices of 2026-10-05" in Path("page.html").read_text()


def test_a_bad_price_is_refused_with_its_line(weeks: Any) -> None:
    del weeks
    Path("prices.csv").write_text(PRICES + "us-east-1,arm64,free,0\n")
    chosen = cli._parser().parse_args(["rightsize", "first.jsonl", "--prices", "prices.csv"])
    with pytest.raises(InputError, match=r"^prices\.csv:3: usd_per_gb_second_tier1 is 'free'"):
        rightsize.rightsize(chosen)


@pytest.mark.parametrize(
    ("output", "why"), [("folder.html", "is a folder"), ("there.txt/report.html", "is no folder"), ("../a/b.html", "")]
)
def test_where_nothing_can_be_written_is_told_before_anything_is_read(
    output: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log file that isn't there is told only if the report could be written."""
    monkeypatch.chdir(tmp_path)
    Path("folder.html").mkdir()
    Path("there.txt").touch()
    assert cli.main(["rightsize", "missing.log", "-o", output]) == 2
    told = capsys.readouterr().err
    assert (f"{output}: cannot be written: " in told and why in told) if why else "missing.log" in told


def test_a_limit_without_a_measurement_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rightsize", "x.log", "--at-most", "1"]) == 2
    assert "--at-most and --yes are of --power-tuning" in capsys.readouterr().err
