"""`lookout demo` from end to end, where everything around it is hostile; and stopped half way."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e import test_pages_browser
from tests.e2e.conftest import eventually
from tests.e2e.test_pages_browser import CHROMIUM, Visit

pytestmark = pytest.mark.e2e

browser = test_pages_browser.browser  # its fixture, found by its name here

FUNCTIONS = 14 + 4
"""The shop's and the toolkit's own (infra/local/fleet/template.yaml, infra/template.yaml)."""
KEYS = {"functions", "covered", "alarms", "fired", "notified", "planted", "found", "report_paths"}
# Python ignores SIGINT where its parent did, such as a shell that runs the tests in the background.
INTERRUPTIBLE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from lookout.cli import main; sys.exit(main(sys.argv[1:]))"
)


class Finished(NamedTuple):
    status: int
    output: str
    errors: str
    temporary: Path

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.output))


def hostile(folder: Path) -> dict[str, str]:
    """An environment that would lead any AWS call astray, and whose temporary folder nobody else uses."""
    for name in ("home", "temporary"):
        (folder / name).mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "temporary"),
        "AWS_PROFILE": "nonexistent",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9",
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"),
    }


def left_behind(temporary: Path) -> list[str]:
    """Processes that run in or know of the temporary folder, and what lies in it."""
    folders = [str(path) for path in temporary.glob("lookout-local-*")]
    return folders + [str(process) for process in Path("/proc").glob("[0-9]*") if _knows(process, str(temporary))]


def _knows(process: Path, folder: str) -> bool:
    try:
        if process.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False  # dead, and its parent has yet to be told
        known = process.joinpath("cmdline").read_bytes() + process.joinpath("environ").read_bytes()
        return folder.encode() in known or str(process.joinpath("cwd").readlink()).startswith(folder)
    except OSError:
        return False  # gone since it was listed, or somebody else's


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """One run for all tests here; its pages lie in the folder it was started in."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "lookout.cli", "demo", "--json", "--no-open", "-o", str(folder / "site")],
        cwd=folder,
        env=hostile(folder),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr, folder / "temporary")


def test_it_ends_well_and_says_so_to_a_program(demo: Finished) -> None:
    assert demo.status == 0, demo.errors
    assert demo.document.keys() >= KEYS
    assert "Traceback" not in demo.errors


def test_every_function_is_covered(demo: Finished) -> None:
    found = demo.document
    assert (found["functions"], found["covered"]) == (FUNCTIONS, FUNCTIONS)


def test_what_fired_was_told_over_both_channels(demo: Finished) -> None:
    found = demo.document
    # Payments that are refused three times end in a queue that the history leaves empty; its level is above 0.
    assert "lookout/sqs.dead_letters/shop-payments-dlq" in found["set_off"]
    assert set(found["set_off"]) <= set(found["fired"])
    told: dict[str, list[str]] = {}
    for one in found["notified"]:
        told.setdefault(one["channel"], []).append(one["subject"])
    assert told.keys() == {"HTTP endpoint", "SQS queue"}
    assert sorted(told["HTTP endpoint"]) == sorted(told["SQS queue"])
    on = [subject for subject in told["SQS queue"] if subject.startswith("ALARM")]
    assert any("Dead letters of shop-payments-dlq" in subject for subject in on)


def test_everything_planted_was_found(demo: Finished) -> None:
    found = demo.document
    assert [row["fault"] for row in found["found"]] == found["planted"]
    assert len(found["planted"]) == 9
    assert [row for row in found["found"] if row["verdict"] != "found"] == []


def test_the_reports_lie_beside_the_pages_in_all_their_forms(demo: Finished) -> None:
    site = demo.temporary.parent / "site"
    assert all(Path(path).is_file() and Path(path).parent == site for path in demo.document["report_paths"])
    names = {path.name for path in site.iterdir()}
    assert names >= {f"{kind}.{suffix}" for kind in ("memory", "latency") for suffix in ("html", "csv", "json")}
    assert json.loads((site / "summary.json").read_text()) == demo.document


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on PATH: install chromium to run the browser tests")
def test_every_page_opens_from_its_file_and_asks_for_nothing_else(demo: Finished, browser: Any) -> None:
    for path in demo.document["report_paths"]:
        seen = Visit(browser).open(Path(path))
        drawn = seen.draw_all()
        seen.context.close()
        assert seen.complaints == [], path
        assert all(url.startswith("file:") for url in seen.asked), path
        assert drawn > 0, path


def test_nothing_stays(demo: Finished) -> None:
    (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)", demo.document["steps"][0]["outcome"])
    assert not listens(int(port))
    assert left_behind(demo.temporary) == []


@pytest.fixture
def half_way(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo whose third step has just ended, or its last line if it never came so far."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "demo", "--no-open", "-o", str(tmp_path / "site")],
        cwd=tmp_path,
        env=hostile(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr
        for line in running.stderr:
            if "two weeks of history" in line:
                break
        yield running
        running.kill()


def test_stopped_by_hand_it_says_so_and_nothing_stays(half_way: subprocess.Popen[str], tmp_path: Path) -> None:
    assert left_behind(tmp_path / "temporary") != []
    half_way.send_signal(signal.SIGINT)
    output, errors = half_way.communicate(timeout=30)
    assert (half_way.returncode, output) == (130, "")
    assert errors.splitlines()[-1] == "stopped"
    assert "Traceback" not in errors
    assert left_behind(tmp_path / "temporary") == []


def test_killed_it_takes_the_account_with_it(half_way: subprocess.Popen[str], tmp_path: Path) -> None:
    half_way.kill()
    half_way.wait()
    assert eventually(lambda: not left_behind(tmp_path / "temporary"), seconds=10), left_behind(tmp_path / "temporary")
