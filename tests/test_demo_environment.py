"""The demo's environment, steps and waiting."""

import os
import re
from pathlib import Path

import pytest

from infra.local.account import LocalAccount
from lookout.demo.environment import only
from lookout.demo.steps import Steps
from lookout.demo.watch import until

ACCOUNT = LocalAccount(port=4566, pid=1, folder="nowhere").environment()


def test_no_setting_of_the_caller_reaches_an_aws_call(monkeypatch: pytest.MonkeyPatch) -> None:
    astray = {
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "t",
        "AWS_ENDPOINT_URL_S3": "https://example.com",
        "AWS_CA_BUNDLE": "nowhere.pem",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "all_proxy": "http://127.0.0.1:9",
        "no_proxy": "",
    }
    for name, value in astray.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with only(ACCOUNT):
        assert {name: value for name, value in os.environ.items() if name.startswith("AWS_")} == {
            name: value for name, value in ACCOUNT.items() if name.startswith("AWS_")
        }
        assert [name for name in os.environ if name.lower().endswith("_proxy")] == ["NO_PROXY"]
        assert os.environ["PATH"] == before["PATH"]
    assert dict(os.environ) == before


def test_the_caller_s_settings_come_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    with pytest.raises(KeyError), only({**ACCOUNT, "AWS_NEW": "x"}):
        del os.environ["AWS_OLD"]
    assert os.environ["AWS_PROFILE"] == "work"
    assert "AWS_NEW" not in os.environ
    assert "AWS_ENDPOINT_URL" not in os.environ


def test_the_account_s_environment_needs_no_file_of_the_caller() -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        assert not Path(ACCOUNT[name]).is_file()


def test_a_step_is_timed_and_its_last_words_are_its_outcome(capfd: pytest.CaptureFixture[str]) -> None:
    steps = Steps()
    with steps.step("survey") as tell:
        tell("asking")
        tell("65 resources [of 11 kinds]")
    (done,) = steps.done
    assert (done.name, done.outcome) == ("survey", "65 resources [of 11 kinds]")
    assert 0 <= done.seconds < 5
    said = capfd.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"✓ survey +\d\.\d s  65 resources \[of 11 kinds\]\n", said.err)


def test_what_a_step_tells_is_no_command_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with Steps().step("apply") as tell:
        tell("failed: \x1b[2J[/red]")
    assert "\x1b[2J" not in capfd.readouterr().err


def test_a_step_that_fails_is_not_done() -> None:
    steps = Steps()
    with pytest.raises(ZeroDivisionError), steps.step("plan"):
        raise ZeroDivisionError
    assert steps.done == []


def test_waiting_ends_when_it_comes_true_or_when_time_is_up() -> None:
    answers = iter([False, False, True])
    assert until(lambda: next(answers), seconds=5)
    assert not until(lambda: False, seconds=0)
