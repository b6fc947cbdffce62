"""Work that waits on AWS, done by several threads at once."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(work: Callable[[Item], Result], items: Sequence[Item], *, workers: int) -> Iterator[tuple[int, Result]]:
    """(which item, what `work` made of it) for every item, as it gets done. What `work` raises ends it all.

    The threads are daemons, where those of concurrent.futures are waited for at exit: after a Ctrl-C, a call that
    backs off for long must not keep the program from ending. What has not begun by then never does.
    """
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Future[Result]]] = queue.SimpleQueue()
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            try:
                index = todo.get_nowait()
            except queue.Empty:
                return
            done.put((index, _outcome(work, items[index])))

    for index in range(len(items)):
        todo.put(index)
    for _ in range(min(workers, len(items))):
        threading.Thread(target=run, name="lookout-worker", daemon=True).start()
    try:
        for _ in items:
            index, outcome = done.get()
            yield index, outcome.result()
    finally:
        stopped.set()


def _outcome(work: Callable[[Item], Result], item: Item) -> Future[Result]:
    outcome: Future[Result] = Future()
    try:
        outcome.set_result(work(item))
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
        outcome.set_exception(error)
    return outcome
