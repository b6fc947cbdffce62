"""`lookout rightsize --patch FILE --apply`: every file or none, and a way back that gives the same bytes."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.templates.resizing import diff
from lookout import cli, rewriting
from lookout.rewriting import Change, backup, rewrite, uninterrupted
from monitors.errors import InputError
from tests.test_cli_reports import report_line

ROLLBACK = Path("rightsize-rollback.patch")
TEMPLATE = """\
# Größe 🛒
Resources:
  {name}:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize: 2048"""
"""Without a line end at its end."""


def write_logs(path: Path, *functions: str) -> None:
    """Functions that wait 100 ms at 1,024 and at 2,048 MB: 128 MB would do."""
    sizes = [1024] * 300 + [2048] * 900
    events = [(function, size, number) for function in functions for number, size in enumerate(sizes)]
    path.write_text(
        "\n".join(
            json.dumps(
                {
                    "logGroup": f"/aws/lambda/{function}",
                    "logStream": f"{size}-{number % 30}",
                    "timestamp": 1_793_491_200_000 + number * 900_000,
                    "message": report_line(number, memory_mb=size),
                }
            )
            for function, size, number in events
        )
    )


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two templates, and logs of the function in each."""
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    write_logs(Path("lines.jsonl"), "shop-Orders-1A2B3C4D5E6F", "shop-Pay-1A2B3C4D5E6F")
    orders, pay = Path("orders.yaml"), Path("my pay.yaml")
    orders.write_bytes(TEMPLATE.format(name="Orders").replace("\n", "\r\n").encode())
    pay.write_bytes(TEMPLATE.format(name="Pay").encode())
    return orders, pay


def run(capsys: pytest.CaptureFixture[str], *patched: Path | str, apply: bool = True) -> tuple[int, str, str]:
    """(status, stdout, stderr) of one run."""
    named = [word for path in patched for word in ("--patch", str(path))]
    status = cli.main(["rightsize", "lines.jsonl", *named, *(["--apply"] if apply else [])])
    told = capsys.readouterr()
    return status, told.out, told.err


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# --- what is written -----------------------------------------------------------------------------


def test_files_backups_and_what_is_told(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    orders, pay = two
    orders.chmod(0o640)
    before = bytes_of(Path())
    status, out, err = run(capsys, orders, pay)
    assert (status, out) == (1, "")
    assert orders.read_bytes() == before["orders.yaml"].replace(b"2048", b"128")
    assert pay.read_bytes() == before["my pay.yaml"].replace(b"2048", b"128")
    assert Path("orders.yaml.orig").read_bytes() == before["orders.yaml"]
    assert Path("my pay.yaml.orig").read_bytes() == before["my pay.yaml"]
    assert [path.stat().st_mode & 0o777 for path in (orders, backup(orders))] == [0o640, 0o640]
    assert bytes_of(Path()).keys() == {*before, "orders.yaml.orig", "my pay.yaml.orig", str(ROLLBACK)}
    assert err.splitlines() == [
        "orders.yaml: shop-Orders-1A2B3C4D5E6F 2048 MB -> 128 MB",
        "my pay.yaml: shop-Pay-1A2B3C4D5E6F 2048 MB -> 128 MB",
        "originals: orders.yaml.orig, my pay.yaml.orig",
        "to undo: patch -p1 < rightsize-rollback.patch",
    ]


@pytest.mark.parametrize("undo", [["patch", "-p1", "-s", "-i", str(ROLLBACK)], ["git", "apply", str(ROLLBACK)]])
def test_the_rollback_gives_the_same_bytes(
    undo: list[str], two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = bytes_of(Path())
    run(capsys, *two)
    subprocess.run(undo, check=True)
    assert {name: bytes_of(Path())[name] for name in before} == before


def test_the_rollback_is_taken_in_a_folder_of_a_repository(
    two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = bytes_of(Path())
    subprocess.run(["git", "init", "-q", ".."], check=True)
    run(capsys, *two)
    subprocess.run(["git", "apply", ROLLBACK], check=True)
    assert {name: bytes_of(Path())[name] for name in before} == before


def test_files_elsewhere_have_their_rollback_where_they_lie(
    two: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A patch cannot name a file above the folder in which it is applied."""
    before = bytes_of(Path())
    Path("../run").mkdir()
    shutil.move("lines.jsonl", "../run/lines.jsonl")
    monkeypatch.chdir("../run")
    _, _, err = run(capsys, *(Path("../shop") / path for path in two))
    command = err.splitlines()[-1].removeprefix("to undo: ")
    assert command == "patch -p1 -d ../shop < ../shop/rightsize-rollback.patch"
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    assert all((Path("../shop") / path).read_bytes() == before[path.name] for path in two)


def test_code_is_written_too(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """`printf Orders/Resource | md5sum` begins with a9b65338."""
    del two
    write_logs(Path("lines.jsonl"), "shop-OrdersA9B65338-1A2B3C4D5E6F")
    Path("app.py").write_text("import aws_cdk.aws_lambda as l\nl.Function(stack, 'Orders', runtime=r)\n")
    _, _, err = run(capsys, "app.py")
    assert Path("app.py").read_text().endswith("l.Function(stack, 'Orders', memory_size=128, runtime=r)\n")
    assert "app.py: shop-OrdersA9B65338-1A2B3C4D5E6F no size of its own -> 128 MB" in err


def test_nothing_to_change(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    orders, _ = two
    orders.write_text(orders.read_text().replace("2048", "128"))
    before = bytes_of(Path())
    _, out, err = run(capsys, orders)
    assert (out, bytes_of(Path())) == ("", before)
    assert err.endswith("nothing to change: no file was touched\n")


# --- what is refused, and nothing touched --------------------------------------------------------


def test_apply_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rightsize", "--apply"]) == 2
    assert capsys.readouterr().err == (
        "error: --apply writes into the files that --patch names: add --patch template.yaml\n"
    )


def test_a_missing_file_is_told_before_any_log_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status = cli.main(["rightsize", "no.jsonl", "--patch", "no.tf"])
    assert (status, capsys.readouterr().err) == (2, "error: no.tf: No such file or directory\n")


@pytest.mark.parametrize("apply", [True, False])
def test_one_file_by_two_names(apply: bool, two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    orders, _ = two
    Path("link.yaml").symlink_to(orders)
    for other in ("./orders.yaml", "link.yaml"):
        status, out, err = run(capsys, orders, other, apply=apply)
        assert (status, out, err) == (
            2,
            "",
            f"error: --patch orders.yaml and --patch {other} are one file: name it once\n",
        )


def test_a_function_in_two_files_is_in_doubt(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    orders, pay = two
    shutil.copy(orders, "other.yaml")
    before = bytes_of(Path())
    _, out, err = run(capsys, orders, "other.yaml", pay, apply=False)
    assert "orders.yaml: shop-Orders-1A2B3C4D5E6F is left as it is: it may be that of other.yaml" in err
    assert [line for line in out.splitlines() if line.startswith("---")] == ["--- a/my pay.yaml\t"]
    assert bytes_of(Path()) == before


def test_the_file_that_says_more_of_a_name_has_it(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    orders, _ = two
    named = (
        'resource "aws_lambda_function" "o" {\n  function_name = "shop-Orders-1A2B3C4D5E6F"\n  memory_size = 512\n}\n'
    )
    Path("main.tf").write_text(named)
    _, out, _ = run(capsys, orders, "main.tf", apply=False)
    assert [line for line in out.splitlines() if line.startswith("+")] == ["+++ b/main.tf", "+  memory_size = 128"]


def test_the_file_that_is_sure_of_a_function_has_it(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """`printf ReOrders/Resource | md5sum` begins with 60fbb135: it is no `Orders` in a construct `Re`."""
    del two
    write_logs(Path("lines.jsonl"), "shop-ReOrders60FBB135-1A2B3C4D5E6F")
    call = "import aws_cdk.aws_lambda as l\nclass A({}):\n  def f(self): l.Function(self, '{}', memory_size=512)\n"
    Path("a.py").write_text(call.format("Construct", "Orders"))
    Path("b.py").write_text(call.format("Stack", "ReOrders"))
    _, out, err = run(capsys, "a.py", "b.py", apply=False)
    assert [line for line in out.splitlines() if line.startswith("---")] == ["--- a/b.py"]
    assert "is left as it is" not in err


OBSTACLES = {
    "a backup": (lambda pay: backup(pay).write_text("mine"), "its backup my pay.yaml.orig is there already"),
    "a dangling backup": (lambda pay: backup(pay).symlink_to("gone"), "its backup my pay.yaml.orig is there already"),
    "a rollback": (lambda pay: ROLLBACK.write_text("mine"), "rightsize-rollback.patch: is there already"),
    "a link": (lambda pay: pay.symlink_to(pay.rename("real.yaml")), "is a link: name the file that it leads to"),
    "a hard link": (lambda pay: Path("second.yaml").hardlink_to(pay), "has another name (a hard link)"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_stands_in_the_way_of_one_file_keeps_both(
    obstacle: str, two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    put, told = OBSTACLES[obstacle]
    put(two[1])
    before = bytes_of(Path())
    status, out, err = run(capsys, *two)
    assert (status, out, bytes_of(Path())) == (2, "", before)
    assert told in err
    assert err.endswith("nothing was written\n")


def test_a_file_that_may_not_be_written(
    two: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what access(2) says, since these tests may run as root, who may write anything."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "my pay.yaml")
    before = bytes_of(Path())
    status, _, err = run(capsys, *two)
    assert (status, bytes_of(Path())) == (2, before)
    assert err == "error: my pay.yaml: it, or the folder that it lies in, is not writable; nothing was written\n"


# --- all or none ---------------------------------------------------------------------------------


def changes(*paths: Path) -> list[Change]:
    texts = [(path, path.read_bytes().decode()) for path in paths]
    return [Change(path, text, text.replace("2048", "128")) for path, text in texts]


@pytest.fixture
def second_fails(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The second of the files cannot be replaced."""
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if target.name == "my pay.yaml" and "orig" not in self.name:
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    yield
    monkeypatch.undo()


def test_when_the_second_file_fails_the_first_is_put_back(
    two: tuple[Path, Path], second_fails: None, capsys: pytest.CaptureFixture[str]
) -> None:
    before, mode = bytes_of(Path()), two[0].stat().st_mode
    status, _, err = run(capsys, *two)
    assert (status, bytes_of(Path()), two[0].stat().st_mode) == (2, before, mode)
    assert err == "error: my pay.yaml: cannot be written: No space left on device: every file is as it was\n"


def test_a_file_that_changed_since_it_was_read(two: tuple[Path, Path]) -> None:
    wanted = changes(*two)
    two[1].write_text("Resources: {}")
    before = bytes_of(Path())
    with pytest.raises(InputError, match=r"^my pay\.yaml: has changed since it was read; nothing was written$"):
        rewrite(wanted, rollback=ROLLBACK, undo="x")
    assert bytes_of(Path()) == before


def test_a_file_that_changes_while_the_first_is_written(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, real, before = changes(*two), Path.replace, bytes_of(Path())

    def replace(self: Path, target: Path) -> Path:
        if target == two[0]:
            two[1].write_text("theirs")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(InputError, match="has changed since it was read: every file is as it was"):
        rewrite(wanted, rollback=ROLLBACK, undo="x")
    assert bytes_of(Path()) == {**before, "my pay.yaml": b"theirs"}


def test_what_cannot_be_put_back_keeps_its_backup(
    two: tuple[Path, Path], second_fails: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.name.endswith(".orig"):
            raise OSError(13, "Permission denied", str(self))
        return failing(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    original = two[0].read_bytes()
    with pytest.raises(InputError, match=r"orders\.yaml \(its original is orders\.yaml\.orig\)"):
        rewrite(changes(*two), rollback=ROLLBACK, undo="x")
    assert backup(two[0]).read_bytes() == original


def test_a_ctrl_c_waits_until_all_is_written(two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, real = changes(*two), rewriting._create

    def create(*arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)
        real(*arguments)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(rewriting, "_create", create)
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        rewrite(wanted, rollback=ROLLBACK, undo="x")
    assert [path.read_bytes().decode() for path in two] == [each.after for each in wanted]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


LINES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["same", "", "é🛒\r", "-", "+x"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    was=st.lists(LINES, max_size=9),
    will_be=st.lists(LINES, max_size=9),
    last=st.booleans(),
    tool=st.sampled_from(["patch", "git"]),
)
def test_rewritten_and_rolled_back_are_the_same_bytes(
    was: list[str], will_be: list[str], last: bool, tool: str, tmp_path: Path
) -> None:
    before, after = "x\n" + "\n".join(was) + "\n" * last, "x\n" + "\n".join(will_be)
    folder = tmp_path / "each"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path, rollback = folder / "a.yaml", folder / ROLLBACK
    path.write_bytes(before.encode())
    rewrite([Change(path, before, after)], rollback=rollback, undo=diff(after, before, "a.yaml"))
    assert (path.read_bytes(), backup(path).read_bytes()) == (after.encode(), before.encode())
    if before != after:
        command = ["git", "apply", str(ROLLBACK)] if tool == "git" else ["patch", "-p1", "-s", "-i", str(ROLLBACK)]
        subprocess.run(command, cwd=folder, check=True)
    assert path.read_bytes() == before.encode()
