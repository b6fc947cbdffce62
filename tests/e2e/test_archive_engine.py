"""The archive's questions, translated for the embedded account's Athena, and as they are for DuckDB."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra import deploy
from infra.aws.session import client
from infra.engines import athena
from monitors.rightsize import questions
from monitors.rightsize.usage import Usage, Use
from tests.e2e.test_archive import own  # noqa: F401 - a fixture
from tests.test_rightsize_engines import DAY_S, MIXED, T0_S, agree, archived, as_text, leaking, read_one_by_one

pytestmark = pytest.mark.e2e

DAY = {"start_s": T0_S, "end_s": T0_S + DAY_S}


def asked_here(connection: Any) -> Usage:
    """What DuckDB itself answers."""
    usage: Usage = defaultdict(Use)
    for question in (questions.SQL_DURATIONS, questions.SQL_SANDBOXES):
        answer = connection.execute(questions.of_archive(question, **DAY))
        columns = [column[0] for column in answer.description]
        for values in answer.fetchall():
            row = dict(zip(columns, map(as_text, values), strict=True))
            use = usage[row["function_name"] or "", questions.memory_mb(row)]
            if question is questions.SQL_DURATIONS:
                questions.add_durations(use, row)
            else:
                questions.add_sandbox(use, row, stream=row["log_stream"] or "")
    return usage


def test_athena_and_duckdb_agree(own: boto3.Session, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    outputs = deploy.deploy(own, architecture="x86_64", parameters={}, layer=False, archive=True, pause_s=0.05)
    events = MIXED + leaking(5)
    here = archived(events, tmp_path)
    file = tmp_path / "rows.parquet"
    here.execute(f"COPY (SELECT * EXCLUDE day FROM records) TO '{file}' (FORMAT parquet)")
    client(own, "s3").put_object(
        Bucket=outputs["ArchiveBucket"], Key="records/day=2026-11-24/rows.parquet", Body=file.read_bytes()
    )
    found = athena.read(own, {}, **DAY, progress=lambda *_: None, say=lambda _: None, sleep=lambda _: None)
    agree(found.usage, read_one_by_one(events))
    agree(found.usage, asked_here(here))
