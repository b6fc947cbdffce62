"""What applications' lines show: level, type of error, where it happened, whose it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.applines import (
    ERROR_LEVELS,
    LONGEST,
    Application,
    error_type,
    level,
    out_of_memory,
    read,
    request_id,
    stack_head,
)

ID = "8f507cfc-1a2b-4c3d-9e8f-0123456789ab"
PYTHON = f"[ERROR]\t2026-11-23T10:00:00.123Z\t{ID}\t"
NODE = f"2026-11-23T10:00:00.123Z\t{ID}\tERROR\t"
NODE_STACK = "\n    at Runtime.handler (/var/task/index.js:3:9)\n    at runMicrotasks (<anonymous>)"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"[ERROR]\t2026-11-23T10:00:00.123Z\t{ID}\tboom", "ERROR"),
        (f"[WARNING]\t2026-11-23T10:00:00.123Z\t{ID}\tan ERROR was handled", "WARNING"),
        (
            "[ERROR] Runtime.ImportModuleError: Unable to import module 'app'\nTraceback (most recent call last):",
            "ERROR",
        ),
        (f"2026-11-23T10:00:00.123Z\t{ID}\tERROR\tInvoke Error\t{{}}", "ERROR"),
        ("2026-11-23T10:00:00.123Z\tundefined\tINFO\tERROR in words", "INFO"),
        ('{"level":"ERROR","location":"handler:12","message":"x"}', "ERROR"),
        ('{"timestamp": "2026-11-23T10:00:00Z", "level": "error", "message": "x"}', "ERROR"),
        ('{"message": "x", "nested": {"level": "ERROR"}, "level": "info"}', "INFO"),
        ('{"message": "x", "log_level": "CRITICAL"}', "CRITICAL"),
        ('{"message": "{\\"level\\": \\"ERROR\\"}", "level": "DEBUG"}', "DEBUG"),
        ('{"level": 50, "message": "x"}', ""),
        ('{"level": "verbose"}', ""),
        ('{"level": "ERROR', ""),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "FATAL"),
        ("fatal error: runtime: out of memory", "FATAL"),
        ("[orders] ERROR", ""),
        ("ERROR", ""),
        ("plain words", ""),
        ("", ""),
    ],
)
def test_level(line: str, expected: str) -> None:
    assert level(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[ERROR] MemoryError\nTraceback (most recent call last):", True),
        ("[ERROR] MemoryErrorHandler is not set", False),
        ("[WARNING] handled MemoryError gracefully", False),
        ("handled MemoryError gracefully", False),
        ('{"level": "ERROR", "message": "x", "exception": "java.lang.OutOfMemoryError: Java heap space"}', True),
        ('{"level": "INFO", "message": "java.lang.OutOfMemoryError is caught"}', False),
        ("Java heap space: java.lang.OutOfMemoryError\njava.lang.OutOfMemoryError: Java heap space", True),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", True),
        ("fatal error: runtime: out of memory", True),
        ("Unhandled exception. System.OutOfMemoryException: Array dimensions exceeded supported range.", True),
        ("/var/task/app.rb:5:in `block in handler': failed to allocate memory (NoMemoryError)", True),
        ("[ERROR]\t2026-11-23T10:00:00Z\tx\tdisk full", False),
    ],
)
def test_out_of_memory_is_told_at_an_error_level_only(line: str, expected: bool) -> None:
    assert out_of_memory(line) is expected


def test_request_id_of_an_application_line() -> None:
    assert request_id(f"[ERROR]\t2026-11-23T10:00:00Z\t{ID}\tx") == ID
    assert request_id(f'{{"level": "ERROR", "function_request_id": "{ID}"}}') == ID
    assert request_id(f"[ERROR] about {ID} or so") == ""


def test_error_levels_are_levels() -> None:
    assert {level(f"[{word}] x") for word in ERROR_LEVELS} == ERROR_LEVELS


ERRORS = {
    "Python, nobody caught it": (
        (
            "[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n"
            '\xa0\xa0File "/var/task/app.py", line 12, in handler\n\xa0\xa0\xa0\xa0return pay(event)\n'
            "\xa0\xa0File \"/var/task/bank.py\", line 3, in pay\n\xa0\xa0\xa0\xa0return event['x']"
        ),
        ("KeyError", 'File "/var/task/bank.py", line 3, in pay'),
    ),
    "Python, logged with its traceback": (
        (
            f'{PYTHON}could not pay\nTraceback (most recent call last):\n  File "/var/task/a.py", line 12, in handler\n'
            "    pay()\nbank.errors.Declined: no money\n"
        ),
        ("bank.errors.Declined", 'File "/var/task/a.py", line 12, in handler'),
    ),
    "Python, one error while another was handled": (
        (
            f'{PYTHON}x\nTraceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: 1\n\n'
            "During handling of the above exception, another exception occurred:\n\n"
            'Traceback (most recent call last):\n  File "b.py", line 2, in g\nValueError: 2\n'
        ),
        ("ValueError", 'File "b.py", line 2, in g'),
    ),
    "Python's import": (
        (
            "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'daily'\n"
            "Traceback (most recent call last):"
        ),
        ("Runtime.ImportModuleError", ""),
    ),
    "Python's JSON": (
        json.dumps(
            {
                "timestamp": "2026-11-23T10:00:00Z",
                "level": "ERROR",
                "errorType": "KeyError",
                "errorMessage": "'x'",
                "stackTrace": ['  File "/var/task/app.py", line 12, in handler\n    return x\n'],
            }
        ),
        ("KeyError", 'File "/var/task/app.py", line 12, in handler'),
    ),
    "Powertools": (
        json.dumps(
            {
                "level": "ERROR",
                "message": "x",
                "exception": 'Traceback (most recent call last):\n  File "/var/task/a.py", line 1, in h\nValueError: y',
                "exception_name": "ValueError",
            }
        ),
        ("ValueError", 'File "/var/task/a.py", line 1, in h'),
    ),
    "Node, nobody caught it": (
        NODE
        + "Invoke Error \t"
        + json.dumps({"errorType": "TypeError", "errorMessage": "x", "stack": f"TypeError: x{NODE_STACK}".split("\n")}),
        ("TypeError", "at Runtime.handler (/var/task/index.js:3:9)"),
    ),
    "Node's console": (
        f"{NODE}TypeError: Cannot read properties of undefined{NODE_STACK}\n",
        ("TypeError", "at Runtime.handler (/var/task/index.js:3:9)"),
    ),
    "Java": (
        'Exception in thread "main" java.lang.IllegalStateException: no\n\tat example.Handler.handle(Handler.java:7)\n',
        ("java.lang.IllegalStateException", "at example.Handler.handle(Handler.java:7)"),
    ),
    ".NET": (
        "Unhandled exception. System.OutOfMemoryException: x\n   at A.B() in /src/A.cs:line 4",
        ("System.OutOfMemoryException", "at A.B() in /src/A.cs:line 4"),
    ),
    "words": (f"{PYTHON}Payment failed: no answer", ("", "")),
    "a word": ("[ERROR] Failed", ("", "")),
    "an error's name in words": (f"{PYTHON}got a KeyError: 'x'", ("", "")),
    "no type in JSON": ('{"level": "ERROR", "errorType": {"a": 1}, "stackTrace": [1, null]}', ("", "")),
    "a type that is none": ('{"level": "ERROR", "errorType": "card 4711 refused"}', ("", "")),
}


@pytest.mark.parametrize(("line", "expected"), ERRORS.values(), ids=ERRORS)
def test_an_errors_type_and_place(line: str, expected: tuple[str, str]) -> None:
    assert (error_type(line), stack_head(line)) == expected
    assert read(line).level in ERROR_LEVELS
    assert read(line)[1:3] == expected


def test_a_line_of_no_error_has_neither() -> None:
    assert read(f"[INFO]\t2026-11-23T10:00:00.123Z\t{ID}\tKeyError: 'x'") == Application("INFO", request_id=ID)


@given(st.text(alphabet='[ERO]\t\n {}":,\\Traceback(mostrecentcalllast):atFile.0;'))
def test_no_line_raises_and_what_is_kept_is_bounded(line: str) -> None:
    for each in (line, f"[ERROR] {line}", f'{{"level": "ERROR", "stack": {json.dumps(line)}}}', NODE + line):
        assert len(read(each).stack_head) <= LONGEST


def test_a_long_line_of_an_error_is_read_quickly() -> None:
    for part in ("a.", "at \n", 'File "', "x: \n", "[ERROR] ", "\xa0"):
        assert read(f"[ERROR] {part * 200_000}").level == "ERROR"
