"""The `lookout` command: parse, call, print.

Exit status: 0 done; 1 done, and there are findings; 2 the user must change something.
"""

import argparse
import contextlib
import errno
import gc
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata

from lookout.commands.rows import Command
from lookout.commands.table import COMMANDS
from monitors.errors import LookoutError

AGAIN_S = 0.05
"""By then a finalizer is over that a Ctrl-C fell into."""

YOUNG = 100_000
"""Objects made between two garbage collections: a big plan's records hold no cycles, and looking for some after every
700 took a third of its time."""

EXTRAS = {"samtranslator": "templates", "yaml": "templates", "grafana_foundation_sdk": "grafana"}
"""Module -> the extra that brings it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    gc.set_threshold(YOUNG)
    try:
        with _interruptible():
            return _run(arguments)
    except LookoutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (extra := EXTRAS.get(str(error.name))) is None:
            raise
        print(f"error: this needs the extra `{extra}`: pip install 'lambda-lookout[{extra}]'", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _write_no_more()  # whoever read our output has gone
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _write_no_more()
        print(f"error: output: {error.strerror}", file=sys.stderr)
        return 2


def _write_no_more() -> None:
    """Keep Python from writing once more at exit what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: Sequence[str] | None) -> int:
    try:
        chosen = _parser().parse_args(arguments)
        return _function(chosen.run)(chosen)
    finally:
        sys.stdout.flush()  # here and not at exit, where a closed pipe would be told as an error, after --help too


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Have every Ctrl-C end the command. Python drops one that falls into a finalizer: it prints it and goes on."""
    before = sys.unraisablehook

    def tell_again(dropped: "sys.UnraisableHookArgs") -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            before(dropped)
            return
        # A signal proper, to the main thread: it also ends a wait in the kernel, as interrupt_main() would not.
        later = threading.Timer(AGAIN_S, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
        later.daemon = True
        later.start()

    sys.unraisablehook = tell_again
    try:
        yield
    finally:
        sys.unraisablehook = before


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lookout",
        description=metadata.metadata("lambda-lookout")["Summary"],
        epilog="`lookout demo` needs no AWS account. Each command explains itself: lookout COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"lookout {metadata.version('lambda-lookout')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        _add(commands, command)
    return parser


def _add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Command) -> None:
    parser = commands.add_parser(
        command.name,
        help=command.help,
        description=command.help[0].upper() + command.help[1:] + ".",
        epilog="examples:\n" + "\n".join(f"  {example}" for example in command.examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for argument in command.arguments:
        parser.add_argument(*argument.flags, **argument.settings)
    parser.set_defaults(run=command.run)


def _function(path: str) -> Callable[[argparse.Namespace], int]:
    module, _, name = path.partition(":")
    found: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(module), name)
    return found


if __name__ == "__main__":
    sys.exit(main())
