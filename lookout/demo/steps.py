"""Steps of a long run: each timed, and told as it goes, on stderr."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.text import Text

from dashboards.formats import inert
from dashboards.summary import Step


class Steps:
    """The steps of one run, in order."""

    def __init__(self) -> None:
        self.done: list[Step] = []
        self._console = Console(stderr=True, highlight=False)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator["Telling"]:
        """Time what is done inside; what it tells last is the step's outcome."""
        telling = Telling()
        begun = time.monotonic()
        watched = sys.stderr.isatty()
        with self._console.status(name) if watched else contextlib.nullcontext() as status:
            telling.show = lambda words: status.update(Text(inert(f"{name}: {words}"))) if status else None
            yield telling
        seconds = time.monotonic() - begun
        self.done.append(Step(name=name, seconds=seconds, outcome=telling.words))
        line = Text.assemble(("✓ ", "green"), f"{name:<34}", (f"{seconds:5.1f} s  ", "dim"), inert(telling.words))
        self._console.print(line, soft_wrap=True)


class Telling:
    """What a step says of itself while it works."""

    def __init__(self) -> None:
        self.words = ""
        self.show: Callable[[str], None] = lambda _: None

    def __call__(self, words: str) -> None:
        """Say something; the last saying stands as the outcome."""
        self.words = words
        self.show(words)
