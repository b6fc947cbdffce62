"""What runs on every log batch loads the standard library only: each of these would cost its cold starts dearly."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COSTLY = {
    "aiohttp",
    "asyncio",
    "aws_embedded_metrics",
    "aws_xray_sdk",
    "boto3",
    "botocore",
    "dataclasses",
    "inspect",
    "jinja2",
    "logging",
    "pydantic",
    "socket",
    "urllib.request",
}
CODE = "import sys; import subscribers.logs_handler; print(*sorted(sys.modules))"


def test_the_log_subscriber_loads_nothing_costly() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "subscribers.logs_handler" in loaded
    assert not loaded & COSTLY
