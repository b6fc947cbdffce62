"""Twenty thousand damaged inputs of each kind; `make fuzz` tries a million others."""

import pytest

from tests.fuzzing import TARGETS, run


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_raises_but_its_own_error(target: str) -> None:
    run(target, 20_000)
