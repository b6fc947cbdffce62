"""Packaging: the same code gives the same zip and key; every other CodeUri stays as it is."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from infra.packaging import package_template, zip_folder
from monitors.errors import InputError

TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String}
Resources:
  Local:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code/a, Role: !GetAtt Role.Arn}
  Twin:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code/a, FunctionName: !Sub "twin-${Stage}"}
  Remote:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: s3://bucket/key.zip}
  Placed:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: {Bucket: b, Key: k}}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "def handler(e, c): ..."}
  Table:
    Type: AWS::DynamoDB::Table
  Empty:
    Type: AWS::Serverless::Function
    Properties:
"""


def folder_with(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def names(data: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(data)).namelist()


def test_local_code_becomes_bucket_and_key_once(tmp_path: Path) -> None:
    folder_with(tmp_path / "code/a", {"app.py": "x = 1"})
    template, zips = package_template(TEMPLATE, tmp_path)
    [(key, data)] = zips.items()
    placed = {"Bucket": {"Ref": "CodeBucket"}, "Key": key}
    assert template["Resources"]["Local"]["Properties"]["CodeUri"] == placed
    assert template["Resources"]["Twin"]["Properties"]["CodeUri"] == placed
    assert names(data) == ["app.py"]
    assert template["Parameters"] == {"Stage": {"Type": "String"}, "CodeBucket": {"Type": "String"}}


def test_everything_else_is_left_alone(tmp_path: Path) -> None:
    folder_with(tmp_path / "code/a", {"app.py": ""})
    resources = package_template(TEMPLATE, tmp_path)[0]["Resources"]
    assert resources["Remote"]["Properties"]["CodeUri"] == "s3://bucket/key.zip"
    assert resources["Placed"]["Properties"]["CodeUri"] == {"Bucket": "b", "Key": "k"}
    assert "CodeUri" not in resources["Inline"]["Properties"]
    assert resources["Table"] == {"Type": "AWS::DynamoDB::Table"}


def test_short_forms_become_json(tmp_path: Path) -> None:
    folder_with(tmp_path / "code/a", {"app.py": ""})
    template = package_template(TEMPLATE, tmp_path)[0]
    assert template["Resources"]["Local"]["Properties"]["Role"] == {"Fn::GetAtt": ["Role", "Arn"]}
    assert template["Resources"]["Twin"]["Properties"]["FunctionName"] == {"Fn::Sub": "twin-${Stage}"}
    assert json.loads(json.dumps(template))["AWSTemplateFormatVersion"] == "2010-09-09"


def test_zip_does_not_know_when_or_in_which_order_it_was_made(tmp_path: Path) -> None:
    one = folder_with(tmp_path / "one", {"a.py": "1", "b/c.py": "2", "z.txt": "3"})
    two = folder_with(tmp_path / "two", {"z.txt": "3", "b/c.py": "2", "a.py": "1"})
    os.utime(two / "a.py", (1, 1))
    (two / "a.py").chmod(0o600)
    assert zip_folder(one) == zip_folder(two)
    assert names(zip_folder(one)) == ["a.py", "b/c.py", "z.txt"]


def test_zip_leaves_out_what_tools_leave_behind(tmp_path: Path) -> None:
    kept = folder_with(tmp_path, {"app.py": "", "__pycache__/app.cpython-311.pyc": "", "lib/__pycache__/x.pyc": ""})
    assert names(zip_folder(kept)) == ["app.py"]


def test_zip_can_be_read_by_lambda(tmp_path: Path) -> None:
    """Lambda runs as another user: files must be readable by all (AWS Lambda Developer Guide, .zip archives)."""
    with zipfile.ZipFile(io.BytesIO(zip_folder(folder_with(tmp_path, {"app.py": "x = 1"})))) as archive:
        assert archive.read("app.py") == b"x = 1"
        assert archive.getinfo("app.py").external_attr >> 16 & 0o777 == 0o644


def test_other_content_has_another_key(tmp_path: Path) -> None:
    source = folder_with(tmp_path / "code/a", {"app.py": "x = 1"})
    before = set(package_template(TEMPLATE, tmp_path)[1])
    (source / "app.py").write_text("x = 2")
    assert set(package_template(TEMPLATE, tmp_path)[1]).isdisjoint(before)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Local: CodeUri 'code/a' is no folder"):
        package_template(TEMPLATE, tmp_path)
