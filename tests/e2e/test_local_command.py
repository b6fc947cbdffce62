"""`lookout local` up, status and down, for real."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import eventually

pytestmark = pytest.mark.e2e

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Command]:
    """Runs `lookout local` in a temporary folder of its own, where it also remembers its account; ends that at last."""
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "AWS_PROFILE": "nonexistent"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lookout.cli", "local", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    yield run
    run("down")


def test_up_status_down(local: Command, tmp_path: Path) -> None:
    up = local("up", "--port", "0")
    assert up.returncode == 0, up.stderr
    assert "stop it with: lookout local down" in up.stderr
    (endpoint,) = re.findall(r"^export AWS_ENDPOINT_URL=(http://127\.0\.0\.1:\d+)$", up.stdout, re.MULTILINE)

    status = local("status", "--json")
    known = json.loads(status.stdout)
    assert (status.returncode, known["endpoint"]) == (0, endpoint)
    assert known["environment"]["AWS_ENDPOINT_URL"] == endpoint

    again = local("up")
    assert (again.returncode, again.stdout) == (0, up.stdout), "one account, however often it is asked for"

    down = local("down")
    assert (down.returncode, down.stdout) == (0, "")
    assert local("status").returncode == 1
    assert eventually(lambda: not list(tmp_path.iterdir())), "neither folder nor note is left"


def test_a_shell_can_take_what_it_prints(local: Command) -> None:
    up = local("up", "--port", "0")
    shown = subprocess.run(
        ["sh", "-c", 'eval "$1"; echo "$AWS_ENDPOINT_URL $AWS_REGION $AWS_CONFIG_FILE"', "sh", up.stdout],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+ us-east-1 /dev/null\n", shown.stdout)


def test_down_without_an_account_is_no_error(local: Command) -> None:
    down = local("down")
    assert (down.returncode, down.stdout) == (0, "")
    assert "was not up" in down.stderr


@pytest.mark.parametrize("note", ["{", "[]", '{"port": 1, "pid": 1, "folder": "x"}', '{"pid": "1"}'])
def test_a_broken_or_stale_note_means_down_and_kills_nobody(local: Command, tmp_path: Path, note: str) -> None:
    (tmp_path / f"lookout-local-{os.getuid()}.json").write_text(note)
    assert local("status").returncode == 1
    assert local("down").returncode == 0


def test_the_note_is_its_owner_s_alone_and_follows_no_link(local: Command, tmp_path: Path) -> None:
    """The temporary folder is everybody's, and the note's name is known."""
    note, target = tmp_path / f"lookout-local-{os.getuid()}.json", tmp_path / "precious"
    target.write_text("precious")
    note.symlink_to(target)
    assert local("up", "--port", "0").returncode == 0
    assert target.read_text() == "precious"
    assert not note.is_symlink()
    assert note.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_is_none_is_an_error_in_words(local: Command, port: str) -> None:
    up = local("up", "--port", port)
    assert (up.returncode, up.stdout) == (2, "")
    assert up.stderr.startswith("error: ")
    assert "--port" in up.stderr
