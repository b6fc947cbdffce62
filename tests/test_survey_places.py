"""Several accounts and Regions in one survey, and those where nobody is let in."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.aws import survey as asked_of
from infra.aws.survey import Surveyed, survey_all
from lookout.cli import main
from monitors.errors import AwsError
from monitors.model import Fleet
from tests.aws import ACCOUNT, REGION, Aws, function, identity

OTHER = "210987654321"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


def of(account: str, name: str) -> Aws:
    """An account with one function, named for its Region."""
    arn = f"arn:aws:lambda:{{}}:{account}:function:{name}"
    return Aws(
        {
            "sts:GetCallerIdentity": {"UserId": "u", "Account": account, "Arn": f"arn:aws:iam::{account}:user/u"},
            "lambda:ListFunctions": lambda _, region: {
                "Functions": [{"FunctionName": name, "FunctionArn": arn.format(region)}]
            },
        }
    )


def refused(message: str) -> Callable[[], boto3.Session]:
    def open_session() -> boto3.Session:
        raise AwsError(message)

    return open_session


def closed_in(region: str) -> Callable[[Any, str], Any]:
    def reply(asked: Any, here: str) -> Any:
        return ("InvalidClientTokenId", "The token is invalid") if here == region else identity(asked, here)

    return reply


def test_every_account_is_asked_in_every_region():
    one, other = of(ACCOUNT, "a"), of(OTHER, "b")
    found = survey_all(
        {"profile one": lambda: one.session, "profile other": lambda: other.session}, regions=["us-east-1", REGION]
    )
    functions = [(each.account, each.region, each.name) for each in found.fleet.resources if each.service == "lambda"]
    assert functions == [
        (ACCOUNT, REGION, "a"),
        (ACCOUNT, "us-east-1", "a"),
        (OTHER, REGION, "b"),
        (OTHER, "us-east-1", "b"),
    ]
    assert found.fleet.incomplete == ()
    assert found.calls == len(one.asked) + len(other.asked)


def test_an_account_that_is_closed_is_named_and_the_others_are_read():
    found = survey_all(
        {
            "profile shop": lambda: of(ACCOUNT, "a").session,
            "profile gone": refused("The config profile (gone) could not be found."),
            "role r": lambda: Aws({"sts:GetCallerIdentity": ("ExpiredToken", "too old")}).session,
        }
    )
    assert [each.name for each in found.fleet.resources if each.service == "lambda"] == ["a"]
    assert found.fleet.incomplete == (
        "profile gone: The config profile (gone) could not be found.",
        (
            f"role r: sts:GetCallerIdentity in {REGION}: ExpiredToken: too old. "
            f"Renew the credentials, and check that the account has enabled {REGION}."
        ),
    )


def test_a_region_that_is_closed_is_named_and_the_others_are_read():
    aws = Aws({"sts:GetCallerIdentity": closed_in("ap-east-1"), "lambda:ListFunctions": {"Functions": [function("a")]}})
    found = survey_all({"": lambda: aws.session}, regions=[REGION, "ap-east-1"])
    assert [each.name for each in found.fleet.resources if each.service == "lambda"] == ["a"]
    (told,) = found.fleet.incomplete
    assert told.startswith("sts:GetCallerIdentity in ap-east-1: InvalidClientTokenId: ")
    assert told.endswith("check that the account has enabled ap-east-1.")
    assert {asked[1] for asked in aws.asked if asked[0] != "sts:GetCallerIdentity"} == {REGION}


def test_where_nobody_is_let_in_anywhere_every_reason_is_told():
    closed = {"profile a": refused("no such profile"), "profile b": refused("expired")}
    with pytest.raises(AwsError, match=r"\Aprofile a: no such profile\nprofile b: expired\Z"):
        survey_all(closed)


def test_two_ways_into_one_place_are_one_place():
    aws = of(ACCOUNT, "a")
    survey_all({"profile a": lambda: aws.session, "profile same": lambda: aws.session})
    assert aws.count("sts:GetCallerIdentity") == 2
    assert aws.count("lambda:ListFunctions") == 1


# --- from the command line -----------------------------------------------------------------------


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands for AWS; what `lookout survey` asks it."""
    given: dict[str, Any] = {}

    def survey(accounts: Mapping[str, Any], **more: Any) -> Surveyed:
        given.update(more, accounts=accounts)
        return Surveyed(Fleet(resources=(), notes=("Not asked for: aliases",)), 1_234)

    monkeypatch.setattr(asked_of, "survey_all", survey)
    return given


ROLE = "arn:aws:iam::210987654321:role/audit"


def test_profiles_and_roles_are_accounts_to_ask(chosen: dict[str, Any], capsys: pytest.CaptureFixture[str]):
    accounts = ["--profile", "a", "--profile", "b", "--role", ROLE, "--external-id", "x", "--region", REGION]
    assert main(["survey", *accounts, "--thorough"]) == 0
    assert list(chosen["accounts"]) == ["profile a", "profile b", f"role {ROLE}"]
    assert chosen["accounts"]["profile b"].keywords == {"profile": "b", "region": REGION}
    assert chosen["accounts"][f"role {ROLE}"].args == (ROLE,)
    assert chosen["accounts"][f"role {ROLE}"].keywords == {"external_id": "x", "region": REGION}
    assert (chosen["regions"], chosen["thorough"]) == ([REGION], True)
    said = capsys.readouterr()
    assert said.err == "0 resources in 1,234 API calls\nNot asked for: aliases\n"
    assert said.out == ""


def test_without_any_named_it_is_the_account_of_the_sdks_settings(chosen: dict[str, Any]):
    assert main(["survey"]) == 0
    assert list(chosen["accounts"]) == [""]
    assert (chosen["regions"], chosen["thorough"]) == ([], False)


def test_an_external_id_without_a_role_is_a_mistake(chosen: dict[str, Any], capsys: pytest.CaptureFixture[str]):
    assert main(["survey", "--external-id", "x"]) == 2
    assert "name it with --role" in capsys.readouterr().err
    assert chosen == {}


def test_profiles_of_which_none_is_there_are_a_mistake(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "config").write_text("[profile work]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert main(["survey", "--profile", "wrok", "--profile", "hmoe"]) == 2
    said = capsys.readouterr().err
    assert "profile wrok: The config profile (wrok) could not be found" in said
    assert "profile hmoe: The config profile (hmoe) could not be found" in said
