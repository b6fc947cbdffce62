"""Memory sizes into templates: nothing else changes, `git apply` takes the patch, and doubt leaves all as it is."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.templates.parsing import parse
from infra.templates.resizing import Patch, resized
from monitors.errors import InputError

SAM = """\
# Größe: what the orders take, 🛒
Transform: AWS::Serverless-2016-10-31
Parameters:
  Size: {Type: Number}
Globals:
  Function:
    MemorySize: 1024
Resources:
  Checkout:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.main   # keep me
      MemorySize: 1024
      Tags: {MemorySize: "512"}
  Inherits:
    Type: AWS::Serverless::Function
    Properties:
      # the first entry
      Handler: app.main
  Flow: {Type: AWS::Lambda::Function, Properties: {FunctionName: shop-flow, MemorySize: '512'}}
  ByParameter:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Sub "${AWS::StackName}-by-parameter"
      MemorySize: !Ref Size
  Anything:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: !Ref AWS::StackName, MemorySize: 128}
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: shop-table}
"""
CHECKOUT, INHERITS = "shop-Checkout-1A2B3C4D5E6F", "shop-Inherits-abcdefghijkl"

SERVERLESS = """\
service: shop
provider: {name: aws, memorySize: 1024}
functions:
  create:
    handler: app.create
    memorySize: 2048
  list:
    name: ${self:service}-${opt:stage}-all
    handler: app.list
"""

TERRAFORM = """\
# resource "aws_lambda_function" "old" { function_name = "shop-create" }
resource "aws_lambda_function" "create" {
  function_name = "${var.stage}-create"
  environment {
    variables = { memory_size = "{", function_name = "not-me" }
  }
  memory_size   = 2048 # as measured
}

resource "aws_lambda_function" "list" {
  description   = <<-EOT
    a brace } and
    memory_size = 1
  EOT
  function_name = "shop-list" // the list
  /* memory_size = 5 } */
}

module "watch" {
  source        = "./alarms"
  function_name = "shop-watched"
}

module "pay" {
  function_name = "shop-pay"
  memory_size   = var.size
}
"""


def applied(tmp_path: Path, text: str, name: str, sizes: Mapping[str, int]) -> tuple[str, Patch]:
    """The file after `git apply` has taken the patch."""
    (tmp_path / name).write_bytes(text.encode())
    patch = resized(text, name, sizes)
    subprocess.run(["git", "apply", "-"], input=patch.diff.encode(), cwd=tmp_path, check=True)
    return (tmp_path / name).read_bytes().decode(), patch


def test_a_size_is_replaced_where_it_stands(tmp_path: Path) -> None:
    after, patch = applied(tmp_path, SAM, "template.yaml", {CHECKOUT: 512, "shop-flow": 256})
    assert after == SAM.replace("      MemorySize: 1024\n", "      MemorySize: 512\n").replace("'512'}}", "'256'}}")
    assert (patch.declared.keys(), patch.refused) == ({CHECKOUT, "shop-flow"}, {})


def test_what_is_inherited_is_said_where_it_differs(tmp_path: Path) -> None:
    after, _ = applied(tmp_path, SAM, "template.yaml", {INHERITS: 256})
    assert after == SAM.replace(
        "      # the first entry\n      Handler", "      # the first entry\n      MemorySize: 256\n      Handler"
    )


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    text = SAM.replace("\n", "\r\n")
    after, _ = applied(tmp_path, text, "template.yaml", {CHECKOUT: 512, INHERITS: 256})
    assert "\n" not in after.replace("\r\n", "")
    assert "MemorySize: 256\r\n      Handler" in after


def test_a_size_from_a_parameter_is_left() -> None:
    patch = resized(SAM, "template.yaml", {"shop-by-parameter": 512})
    assert patch.diff == ""
    assert patch.refused == {"shop-by-parameter": "MemorySize of ByParameter comes from !Ref Size"}


def test_what_keeps_its_size_is_neither_written_down_nor_corrected() -> None:
    """One has its size from Globals; another was changed by hand since, and is right as it is."""
    sizes = {INHERITS: 1024, "shop-flow": 1024, CHECKOUT: 256}
    patch = resized(SAM, "t.yaml", sizes, kept={INHERITS, "shop-flow"})
    assert patch.text == SAM.replace("      MemorySize: 1024\n      Tags", "      MemorySize: 256\n      Tags")
    assert patch.replaced == {CHECKOUT: "1024"}


def test_a_name_with_a_blank_in_it(tmp_path: Path) -> None:
    assert "MemorySize: 512" in applied(tmp_path, SAM, "the template.yaml", {CHECKOUT: 512})[0]


def test_a_name_that_says_nothing_claims_no_function() -> None:
    patch = resized(SAM, "template.yaml", {"somebody-elses": 512, "shop-table": 128})
    assert (patch.diff, patch.declared) == ("", {})


def test_json_with_tabs(tmp_path: Path) -> None:
    text = (
        '{\n\t"Resources": {\n\t\t"F": {\n\t\t\t"Type": "AWS::Lambda::Function",\n'
        '\t\t\t"Properties": {\n\t\t\t\t"Handler": "h"\n\t\t\t}\n\t\t}\n\t}\n}'
    )
    after, _ = applied(tmp_path, text, "t.json", {"s-F-AAAABBBBCCCC": 256})
    assert after == text.replace('"Handler"', '"MemorySize": 256,\n\t\t\t\t"Handler"')


def test_stages_of_one_template_change_together_or_not_at_all(tmp_path: Path) -> None:
    prod = "prod-Checkout-1A2B3C4D5E6F"
    after, _ = applied(tmp_path, SAM, "template.yaml", {CHECKOUT: 512, prod: 512})
    assert "      MemorySize: 512\n" in after
    patch = resized(SAM, "template.yaml", {CHECKOUT: 512, prod: 256})
    assert patch.diff == ""
    assert patch.refused[CHECKOUT] == f"one place for several: {prod} 256 MB, {CHECKOUT} 512 MB"


def test_serverless(tmp_path: Path) -> None:
    after, patch = applied(tmp_path, SERVERLESS, "serverless.yml", {"shop-dev-create": 512, "shop-dev-all": 256})
    assert patch.refused == {}
    assert after == SERVERLESS.replace("memorySize: 2048", "memorySize: 512").replace(
        "    name: ${self", "    memorySize: 256\n    name: ${self"
    )


def test_terraform(tmp_path: Path) -> None:
    sizes = {"dev-create": 512, "shop-list": 256, "shop-watched": 128, "shop-pay": 128, "not-me": 128}
    after, patch = applied(tmp_path, TERRAFORM, "main.tf", sizes)
    assert after == TERRAFORM.replace("= 2048 #", "= 512 #").replace(
        "// the list\n", "// the list\n  memory_size   = 256\n"
    )
    assert patch.declared.keys() == sizes.keys() - {"not-me"}
    assert patch.refused == {
        "shop-watched": "module.watch does not say memory_size",
        "shop-pay": "memory_size of module.pay comes from var.size",
    }


def test_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    text = "service: s\nfunctions:\n  f:\n    memorySize: 1024"
    assert applied(tmp_path, text, "serverless.yml", {"s-dev-f": 512})[0] == text.replace("1024", "512")


@pytest.mark.parametrize("text", ["", "a: 1", "[1, 2]", "def f(): pass", "a: b: c", "Resources"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^app\.txt"):
        resized(text, "app.txt", {"f": 128})


@given(st.integers(128, 10_240), st.integers(128, 10_240))
def test_only_the_sizes_differ(one: int, other: int) -> None:
    patch = resized(SAM, "t.yaml", {CHECKOUT: one, "shop-flow": other})
    changed = [line for line in patch.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    removed, added = ([line[1:] for line in changed if line[0] == sign] for sign in "-+")
    assert len(removed) == len(added) == (one != 1024) + (other != 512)
    assert all("MemorySize" in line for line in added)


def test_it_is_still_the_same_template(tmp_path: Path) -> None:
    after, _ = applied(tmp_path, SAM, "t.yaml", {CHECKOUT: 512, INHERITS: 256})
    before, now = parse(SAM, "t.yaml"), parse(after, "t.yaml")
    assert now["Resources"]["Inherits"]["Properties"].pop("MemorySize") == 256
    assert now["Resources"]["Checkout"]["Properties"] == {
        **before["Resources"]["Checkout"]["Properties"],
        "MemorySize": 512,
    }
    now["Resources"]["Checkout"] = before["Resources"]["Checkout"]
    assert now == before


@given(st.text(alphabet="{}\"'#/*<-EOT\n= resourcemodulememory_size function_name", max_size=200))
def test_any_text_of_terraform_is_read(text: str) -> None:
    assert resized(TERRAFORM + text, "main.tf", {"f": 1}).refused == {}
