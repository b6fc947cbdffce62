"""The command line: its rows, its exit status, what it prints, its files, and `lookout logs`."""

import argparse
import gzip
import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lookout import cli, files, show, tracefiles
from lookout.cli import main
from lookout.commands.rows import Command, span_s
from lookout.commands.table import COMMANDS
from monitors.errors import InputError, LookoutError

CHOSEN = argparse.Namespace
Stdin = Callable[[bytes], None]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """(status, stdout, stderr) of one command in this process."""
    status = cli.main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Stdin:
    """Call it with the bytes that the command is to find on its standard input."""
    return lambda raw: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))


def commands(monkeypatch: pytest.MonkeyPatch, **run_by_name: str) -> None:
    monkeypatch.setattr(cli, "COMMANDS", [Command(name, "a command", run) for name, run in run_by_name.items()])


# --- the rows ------------------------------------------------------------------------------------


def test_names_are_unique() -> None:
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_what_a_row_runs_is_there(command: Command) -> None:
    module, _, name = command.run.partition(":")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        cli.main([command.name, "--help"])
    told = capsys.readouterr().out
    assert exited.value.code == 0
    assert all(flag in told for argument in command.arguments for flag in argument.flags if flag.startswith("-"))
    assert all(example in told for example in command.examples)


def test_help_loads_nothing_heavy() -> None:
    code = "import lookout.cli, sys; print({m.partition('.')[0] for m in sys.modules} & set(sys.argv[1:]))"
    heavy = ("boto3", "botocore", "pydantic", "jinja2", "rich", "aws_xray_sdk", "ministack")
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# --- exit status ---------------------------------------------------------------------------------


def succeed(chosen: CHOSEN) -> int:
    print("result")
    return 0


def find(chosen: CHOSEN) -> int:
    return 1


def refuse(chosen: CHOSEN) -> int:
    raise LookoutError("lookout.toml:3: no such rule")


def interrupted(chosen: CHOSEN) -> int:
    raise KeyboardInterrupt


def broken(chosen: CHOSEN) -> int:
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize(
    ("name", "status", "out", "err"),
    [
        ("succeed", 0, "result\n", ""),
        ("find", 1, "", ""),
        ("refuse", 2, "", "error: lookout.toml:3: no such rule\n"),
        ("interrupted", 130, "", "stopped\n"),
    ],
)
def test_exit_status(
    name: str, status: int, out: str, err: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands(monkeypatch, act=f"{__name__}:{name}")
    assert run(capsys, "act") == (status, out, err)


SWALLOWED = """
import os, signal, sys, time, types, weakref
signal.signal(signal.SIGINT, signal.default_int_handler)
from lookout import cli
from lookout.commands import rows

def run(chosen):
    class Connection: pass
    connection = Connection()
    weakref.finalize(connection, lambda: (os.kill(os.getpid(), signal.SIGINT), sum(range(100))))
    del connection  # the signal falls into the finalizer, where Python drops it
    time.sleep(20)
    return 0

sys.modules["stand_in"] = types.SimpleNamespace(run=run)
cli.COMMANDS = [rows.Command("act", "a command", "stand_in:run")]
sys.exit(cli.main(["act"]))
"""


def test_an_interrupt_that_falls_into_a_finalizer_is_not_lost() -> None:
    done = subprocess.run([sys.executable, "-c", SWALLOWED], capture_output=True, text=True, timeout=15, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    commands(monkeypatch, act=f"{__name__}:broken")
    with pytest.raises(ZeroDivisionError):
        cli.main(["act"])


@pytest.mark.parametrize(
    "arguments", [(), ("nothing",), ("plan", "--wrong"), ("logs",), ("local", "sideways"), ("rightsize", "--days", "x")]
)
def test_a_wrong_argument_ends_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        cli.main(arguments)
    assert exited.value.code == 2
    assert "usage: lookout" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["traces", "learn", "backtest"])
@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "1e9", "week"])
def test_days_that_are_no_window(command: str, days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main([command, "--days", days])
    assert exited.value.code == 2
    assert "is no number of days above 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("--help",), ("logs", "--help"), ("logs", "--pattern", "x"), ("logs", "--pattern", "x", "--json")]
)
def test_a_closed_pipe_is_no_error(arguments: tuple[str, ...]) -> None:
    """As in `lookout ... | head`, where nobody reads the rest."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lookout.cli", *arguments],
            input="x\n",
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
def test_a_full_disk_is_told() -> None:
    command = [sys.executable, "-m", "lookout.cli", "logs", "--pattern", "x", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, input="x\n", stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "error: output: No space left on device\n")


# --- what is printed -----------------------------------------------------------------------------


def test_hostile_text_reaches_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither as a terminal's commands, nor as markup, nor as bytes that can't be printed."""
    hostile = "\x1b]0;owned\x07 [bold] [/nothing] \ud800 \u202e"
    show.table(hostile, ("name",), [(hostile,)])
    show.line(hostile)
    show.note(hostile)
    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert not {"\x1b", "\x07", "\ud800", "\u202e"} & set(text)
        assert "[bold] [/nothing]" in text


def test_a_name_begins_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    forged = "orders\nerror: your key is expired"
    show.line(forged)
    show.note(forged)
    show.table("t", ("name",), [(forged,)])  # within its frame
    captured = capsys.readouterr()
    assert not [line for line in (captured.out + captured.err).splitlines() if line.startswith("error:")]
    assert (captured.out + captured.err).count("orders\\u000aerror: your key is expired") == 2


def test_numbers_are_set_right(capsys: pytest.CaptureFixture[str]) -> None:
    show.table("a title far longer than the table is wide", ("n", "x"), [(1234567, 0.5), (1, 1000.0)])
    title, *drawn = capsys.readouterr().out.splitlines()
    assert title == "a title far longer than the table is wide"
    cells = [line.strip("│ ").split("│") for line in drawn if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in cells] == [["1,234,567", "0.50"], ["1", "1,000.00"]]
    assert len({line.rindex("│ ") for line in drawn if line.startswith("│")}) == 1


def test_a_row_is_a_line_where_no_terminal_watches(capsys: pytest.CaptureFixture[str]) -> None:
    show.table("t", ("name", "why"), [("shop-orders", "word " * 100)])
    assert sum("word" in line for line in capsys.readouterr().out.splitlines()) == 1


# --- files ---------------------------------------------------------------------------------------


def test_lines_of_text_and_gz_and_standard_input(tmp_path: Path, stdin: Stdin) -> None:
    plain, packed, unnamed = tmp_path / "a.txt", tmp_path / "b.gz", tmp_path / "c.jsonl"
    plain.write_bytes(b"one\ntwo \xff\n")
    packed.write_bytes(gzip.compress(b"three\n"))
    unnamed.write_bytes(gzip.compress(b"three and a half\n"))
    stdin(b"four \xfe\nfive")
    assert list(files.lines([str(plain), str(packed), str(unnamed), "-"])) == [
        "one\n",
        "two \ufffd\n",
        "three\n",
        "three and a half\n",
        "four \ufffd\n",
        "five",
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(500))
    damaged = {
        "cut.gz": whole[:100],
        "no.gz": b"plain text",
        "broken.gz": whole[:10] + b"\xff" * 200 + whole[210:],
    }
    for name, raw in damaged.items():
        (tmp_path / name).write_bytes(raw)
    for name in (*damaged, "missing.txt", "."):
        with pytest.raises(InputError, match=name):
            list(files.lines([str(tmp_path / name)]))
        with pytest.raises(InputError, match=name):
            list(tracefiles.exported(str(tmp_path / name)))


@pytest.mark.parametrize(
    ("raw", "told"),
    [(b'{"a":\n 1,,}', "2:4: not JSON"), (b"\xff", "utf-8"), (b"[" * 100_000, "nested too deeply")],
)
def test_json_files_that_are_none(raw: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=rf"fleet\.json.*{told}"):
        files.read_json(str(path))


def test_written_files_make_their_folders_and_take_any_text(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.csv"
    files.write(path, "Köln \ud800\n")
    assert path.read_text(encoding="utf-8") == "Köln \\ud800\n"
    with pytest.raises(InputError, match="cannot be written"):
        files.write(path / "below a file", "")


def test_settings_are_those_named_else_those_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert files.chosen_settings(None) == files.Settings()
    Path("lookout.toml").write_text('runbooks = "here"')
    Path("other.toml").write_text('runbooks = "there"')
    assert files.chosen_settings(None).runbooks == "here"
    assert files.chosen_settings("other.toml").runbooks == "there"
    with pytest.raises(LookoutError, match=r"nowhere\.toml"):
        files.chosen_settings("nowhere.toml")


# --- lookout logs --------------------------------------------------------------------------------

PAYMENTS = b"""{"event": "payment", "amount": 40}
{"event": "refund", "amount": 7}
{"event": "payment", "amount": 2.5}
{"event": "payment"}
not JSON at all
"""
PAYMENT = ("logs", "--pattern", '{ $.event = "payment" }', "--value", "$.amount")


def test_logs_sums_what_matches(stdin: Stdin, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(PAYMENTS)
    status, out, _ = run(capsys, *PAYMENT, "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["lines"], found["matched"], found["without_value"]) == (5, 3, 1)
    assert (found["sum"], found["minimum"], found["maximum"]) == (42.5, 2.5, 40)
    assert [sample["value"] for sample in found["samples"]] == [40, 2.5, None]


def test_logs_as_a_table(stdin: Stdin, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(PAYMENTS)
    status, out, err = run(capsys, *PAYMENT)
    assert (status, out.splitlines()[0]) == (0, "3 of 5 lines match")
    assert "1 matching lines have no number at $.amount" in err


def test_logs_names_the_fields_of_a_space_delimited_pattern(stdin: Stdin, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(b"127.0.0.1 404\n")
    _, out, _ = run(capsys, "logs", "--pattern", "[ip, status = 4*]", "--value", "$status", "--json")
    (sample,) = json.loads(out)["samples"]
    assert (sample["value"], sample["fields"]) == (404, {"$ip": "127.0.0.1", "$status": "404"})


def test_logs_without_a_match_ends_with_1(stdin: Stdin, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(b"all is well\n")
    assert run(capsys, "logs", "--pattern", "ERROR")[0] == 1


@pytest.mark.parametrize("arguments", [("{ $.a = ", "1"), ("ERROR", "$.amount")])
def test_logs_refuses_what_aws_would_even_if_nothing_matches(
    arguments: tuple[str, str], stdin: Stdin, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(b"all is well\n")
    status, out, err = run(capsys, "logs", "--pattern", arguments[0], "--value", arguments[1])
    assert (status, out) == (2, "")
    assert err.startswith("error: ")


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1_800), ("1.5h", 5_400), ("2d", 172_800)])
def test_spans_of_time(text: str, seconds: float) -> None:
    assert span_s(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "1", "-1h", "1w", "1e3s", "nanh", "1.2.3h"])
def test_what_is_no_span_says_how_to_write_one(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["logs", "--pattern", "x", f"--since={text}"])
    assert "no span such as 30m, 1h or 2d" in capsys.readouterr().err


def test_what_a_line_matches_by_is_set_off() -> None:
    found = show.marked("GET /a\x07 timed out, timed out", ("timed out", "ERROR"))
    assert found.plain == "GET /a\\u0007 timed out, timed out"
    assert [found.plain[span.start : span.end] for span in found.spans] == ["timed out", "timed out"]
    assert show.marked("nothing", ()).spans == []
