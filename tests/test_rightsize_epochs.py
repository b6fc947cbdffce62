"""More than one published version in the window: the advice says that it is of their code together."""

import pytest

from monitors.records import Invocation
from monitors.rightsize.advise import memory_report
from monitors.rightsize.report import MemoryAdvice
from monitors.rightsize.usage import usage

DAY_MS = 86_400_000


def advice(*streams: str, sizes: tuple[int, ...] = (512,)) -> MemoryAdvice:
    """Of ten days of a function whose sandboxes have these names and sizes in turn."""
    found = usage(
        Invocation(
            function="orders",
            log_stream=streams[n % len(streams)] + f"{n % 60:032x}",
            request_id=str(n),
            timestamp_ms=1_793_491_200_000 + n * DAY_MS // 60,
            duration_ms=100.0,
            billed_ms=100,
            memory_mb=sizes[n % len(sizes)],
            used_mb=100,
        )
        for n in range(600)
    )
    return memory_report(found, functions={}, region="us-east-1").advice[0]


def test_several_published_versions_are_told_in_their_order() -> None:
    found = advice("2026/11/01/[10]", "2026/11/02/[9]")
    assert found.flags == ("mixed_epochs",)
    assert found.reasons[-1] == "versions 9, 10 ran: what is measured is of their code together"


@pytest.mark.parametrize(
    "streams",
    [
        ("2026/11/01/[7]", "2026/11/02/[7]"),
        ("2026/11/01/[$LATEST]", "2026/11/02/[$LATEST]"),
        ("2026/11/01/[7]", "2026/11/02/[$LATEST]"),
        ("backup[7]/orders", "backup[8]/orders"),
        ("", "2026/11/02/[]", "2026/11/02/[8"),
    ],
    ids=["one version", "unpublished", "one published", "file names", "broken names"],
)
def test_what_names_at_most_one_published_version_is_not_mixed(streams: tuple[str, ...]) -> None:
    found = advice(*streams)
    assert "mixed_epochs" not in found.flags
    assert not any(reason.startswith("versions") for reason in found.reasons)


def test_a_log_group_that_functions_share_names_the_function_too() -> None:
    """`2026/11/01/orders[7]...`: Lambda Developer Guide, "Configuring CloudWatch log groups"."""
    assert "mixed_epochs" in advice("2026/11/01/orders[7]", "2026/11/02/orders[8]").flags


def test_versions_at_different_sizes_make_one_curve_and_are_mixed() -> None:
    """A deployment that changes the size may change the code with it."""
    assert "mixed_epochs" in advice("2026/11/01/[7]", "2026/11/02/[8]", sizes=(512, 1024)).flags
