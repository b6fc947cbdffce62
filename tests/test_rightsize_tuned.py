"""What AWS Lambda Power Tuning measured, as evidence. The first URL is the example of its README-INPUT-OUTPUT.md."""

import base64
import json
import struct
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.errors import InputError
from monitors.records import Invocation
from monitors.rightsize.advise import memory_report
from monitors.rightsize.report import MemoryAdvice
from monitors.rightsize.tuned import tuned
from monitors.rightsize.usage import usage
from tests.test_rightsize import duration, invocations

PUBLISHED = (
    "https://lambda-power-tuning.show/"
    "#gAAAAQACAAQABsAL;ZooQR4yvkUa/pQRGRC5zRaADHUVjOftE;QdWhOEMkoziDT5Q4xhiIOMYYiDi6RNc4"
)


def url(times: Mapping[int, float]) -> str:
    arrays = (("h", times.keys()), ("f", times.values()), ("f", [1e-6] * len(times)))
    encoded = (base64.b64encode(struct.pack(f"<{len(times)}{kind}", *of)).decode() for kind, of in arrays)
    return "https://tuning.example/#" + ";".join(encoded)


# --- its output ----------------------------------------------------------------------------------


def test_the_published_example() -> None:
    """By IEEE 754: 0x47108A66 is 2**15 * (1 + 0x108A66 / 2**23), 0x44FB3963 is 2**10 * (1 + 0x7B3963 / 2**23)."""
    found = tuned(PUBLISHED, file="url.txt")
    assert list(found) == [128, 256, 512, 1024, 1536, 3008]
    assert found[128] == 2**15 * (1 + 0x108A66 / 2**23)
    assert found[3008] == 2**10 * (1 + 0x7B3963 / 2**23)


STATS = [
    {"averagePrice": 2e-7, "averageDuration": 20.5, "value": 128},
    {"averagePrice": 2e-7, "averageDuration": 9.25, "value": 256},
]


@pytest.mark.parametrize(
    "output",
    [
        {"power": 128, "cost": 2e-7, "duration": 20.5, "stats": STATS},
        {"results": {"power": "128", "stats": STATS, "stateMachine": {"visualization": PUBLISHED}}},
        {"power": 128, "stateMachine": {"visualization": url({128: 20.5, 256: 9.25})}},
        {"status": "SUCCEEDED", "output": json.dumps({"stateMachine": {"visualization": url({128: 20.5, 256: 9.25})}})},
    ],
    ids=["stats", "results", "visualization", "describe-execution"],
)
def test_every_shape_of_output(output: dict[str, object]) -> None:
    assert tuned(json.dumps(output, indent=2), file="out.json") == {128: 20.5, 256: 9.25}


@given(
    st.dictionaries(
        st.integers(128, 10_240), st.floats(0.5, 900_000, width=32), min_size=2, max_size=20
    )  # a duration that float32 holds comes back as it was
)
def test_a_url_says_what_went_into_it(times: dict[int, float]) -> None:
    text = f"see {url(times)}\nand again: <{url(times)}>"
    assert tuned(text, file="url.txt") == times


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no result of Power Tuning"),
        ('{"power": 128, "duration": 3}', "no result of Power Tuning"),
        ("[" * 100_000, "no result of Power Tuning"),
        (f"{PUBLISHED}\n{url({128: 1, 256: 2})}", "2 results of Power Tuning"),
        (PUBLISHED.replace("#gAAAAQAC", "#gAAAAQA"), "cut short or broken"),
        (PUBLISHED.replace("#gAAAAQAC", "#"), "cut short or broken"),
        (url({128: 5}), "one memory size"),
        (url({64: 5, 128: 3}), "5 ms at 64 MB cannot be"),
        (url({128: 5, 256: 0}), "0 ms at 256 MB cannot be"),
        (url({128: 5, 256: float("nan")}), "nan ms at 256 MB cannot be"),
        ('{"stats": 5}', "stats is not a list"),
        ('{"stats": [null]}', "stats is not a list"),
        ('{"stats": [{"value": 128}]}', "stats is not a list"),
        ('{"stats": [{"value": "big", "averageDuration": 1}]}', "stats is not a list"),
        ('{"stats": [{"value": 128.5, "averageDuration": 1}]}', "1 ms at 128.5 MB cannot be"),
        ('{"stats": [{"value": Infinity, "averageDuration": 1}]}', "1 ms at inf MB cannot be"),
    ],
)
def test_what_is_no_result_is_refused_by_its_file(text: str, why: str) -> None:
    with pytest.raises(InputError, match=rf"^tuning\.txt: .*{why}"):
        tuned(text, file="tuning.txt")


@given(st.text() | st.text().map(lambda text: f"#AAAA;{text};AAAA") | st.text().map(lambda text: f'{{"stats":{text}}}'))
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(InputError):
        tuned(text, file="tuning.txt")


# --- the advice ----------------------------------------------------------------------------------

WAIT_MS, CPU_MS = 40.0, 60.0
LOGS = invocations(memory_mb=1024, duration_ms=duration(1024, wait_ms=WAIT_MS, cpu_ms=CPU_MS))


def advice(found: list[Invocation], times: Mapping[int, float]) -> MemoryAdvice:
    (one,) = memory_report(usage(found), functions={}, region="us-east-1", tuned={"f": times}).advice
    return one


def curve(*sizes: int, factor: float = 1.0) -> dict[int, float]:
    return {size: factor * duration(size, wait_ms=WAIT_MS, cpu_ms=CPU_MS) for size in sizes}


def p95_ms(of: MemoryAdvice, size: int) -> float:
    (point,) = (point for point in of.sizes if point.memory_mb == size)
    return point.p95_ms.expected


@pytest.mark.parametrize("sizes", [(256, 1024), (256, 512), (256, 512, 2048)])
@pytest.mark.parametrize("factor", [1.0, 0.1, 30.0])
def test_tuning_shows_the_shape_and_the_logs_the_level(sizes: tuple[int, ...], factor: float) -> None:
    """Its payload may be far heavier or lighter than real requests: a + b / s scaled is still the same shape."""
    told = advice(LOGS, curve(*sizes, factor=factor))
    assert told.confidence == "A"
    for size in (256, 384, 512, 1024):
        assert p95_ms(told, size) == pytest.approx(duration(size, wait_ms=WAIT_MS, cpu_ms=CPU_MS), rel=0.01)
    told_at = ", ".join(str(size) for size in sizes if size != 1024)
    assert f"seen at 1024 MB, by Power Tuning at {told_at} MB (times brought to the logs' level)" in told.reasons


def test_without_tuning_one_size_is_the_prior() -> None:
    told = advice(LOGS, {})
    assert told.confidence == "C"
    assert "seen at 1024 MB only: other sizes by the prior" in told.reasons


def test_what_the_logs_show_wins_at_the_same_size() -> None:
    at_512 = invocations(memory_mb=512, duration_ms=duration(512, wait_ms=WAIT_MS, cpu_ms=CPU_MS), first_day=-10)
    assert advice(LOGS + at_512, {512: 9000.0, 1024: 100.0}) == advice(LOGS + at_512, {})


def test_tuning_that_reaches_the_current_size_by_the_prior_only_is_left_out() -> None:
    """Beyond one vCPU (1,769 MB) two sizes tell nothing of computing below it."""
    assert advice(LOGS, {2048: 90.0, 3008: 90.0}) == advice(LOGS, {})


def test_a_size_that_is_too_small_to_run_well_says_nothing_of_the_cpu() -> None:
    """120 MB used is more than nine tenths of 128 MB."""
    logs = invocations(used_mb=120, duration_ms=duration(1024, wait_ms=WAIT_MS, cpu_ms=CPU_MS))
    assert advice(logs, {128: 60_000.0} | curve(512, 1024)) == advice(logs, curve(512, 1024))
