"""Python functions of the embedded account: AWS's own runtime client in real processes, with the platform's own words.

ministack's worker for custom runtimes serves the Lambda Runtime API; here it runs `awslambdaric` for Python functions,
measures what happens, and hands the outcome to outcome.py. Not modelled: memory limits and CPU that scales with memory.
"""

import math
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from infra.local import cloudwatch, logs, outcome, xray

Json = dict[str, Any]
FAILED_BATCH_PAUSE_S = 0.1
LOG_SETTLE_S = 0.004
"""How long the function's last lines may take from its pipe to the log; AWS's own delay is longer."""

SERVERS_OWN = ("BIND_HOST", "GATEWAY_PORT", "IOT_MTLS_ENABLED", "LOG_LEVEL")
"""Settings of the server's process that functions must not see."""

_last = threading.local()
_worker_class_for = lambda_runtime._worker_class_for
_warm = lambda_svc._execute_function_warm
_dispatch = lambda_svc._execute_function_dispatch
_worker_env = lambda_svc._provided_worker_env
_code_dir = lambda_svc._provided_runtime_code_dir


class Environment(lambda_runtime.ProvidedWorker):  # type: ignore[misc]  # ministack has no types
    """One execution environment: a process, its log stream, its high-water mark of memory."""

    stream = ""
    _init_s: float | None = None
    _peak_mb = 0

    def _spawn(self, init_timeout: float | None = None) -> None:
        begun = time.time()
        version = self.config.get("Version", "$LATEST")
        self.stream = f"{time.strftime('%Y/%m/%d', time.gmtime(begun))}/[{version}]{os.urandom(16).hex()}"
        self._peak_mb = 0
        _last.spawning = self
        super()._spawn(init_timeout)
        self._init_s = time.time() - begun

    def invoke(self, event: Any, request_id: str, *, trace_id: str | None = None, **rest: Any) -> Json:
        begun = time.time()
        result: Json = super().invoke(event, request_id, trace_id=trace_id, **rest)
        ended = time.time()
        init_s, self._init_s = self._init_s, None
        self._peak_mb = max(self._peak_mb, _peak_mb(self._proc))
        _last.outcome = outcome.Outcome(
            request_id=request_id,
            started_s=begun + (init_s or 0.0),
            ended_s=ended,
            init_s=init_s,
            peak_mb=self._peak_mb,
            stream=self.stream,
            trace_header=trace_id or "",
            error_type=_error_type(result),
        )
        return result

    def _build_handler_class(self, generation: int, pending: Any) -> Any:
        handler = super()._build_handler_class(generation, pending)
        handler.disable_nagle_algorithm = True
        handler.wbufsize = -1
        return handler

    def _drain_stderr_bounded(self, *_args: Any, **_rest: Any) -> Any:
        time.sleep(LOG_SETTLE_S)
        return self._drain_stderr()


def install(xray_port: int) -> None:
    """Run Python functions in Environments, and log, measure and trace every invocation as Lambda does."""

    def worker_env(config: Json, code_dir: str, port: int) -> dict[str, str]:
        whole = _worker_env(config, code_dir, port) | _environment(config, code_dir, xray_port)
        own = (config.get("Environment") or {}).get("Variables") or {}
        return {name: value for name, value in whole.items() if name not in SERVERS_OWN or name in own}

    lambda_runtime._worker_class_for = lambda config: Environment if _is_python(config) else _worker_class_for(config)
    lambda_svc._execute_function_warm = _execute
    lambda_svc._execute_function_dispatch = _answer
    lambda_svc._provided_worker_env = worker_env
    lambda_svc._provided_runtime_code_dir = _with_bootstrap
    lambda_svc._emit_lambda_logs = _finish
    lambda_svc._emit_lambda_metrics = _count_throttle
    # ministack halts a whole queue for a second whenever a batch fails; in AWS only the messages that failed wait.
    lambda_svc._ESM_BACKOFF_SECONDS = FAILED_BATCH_PAUSE_S


def _is_python(config: Json) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def _execute(function: Json, event: Any, request_id: str) -> Any:
    config = function.get("config") or function
    run = lambda_svc._execute_function_provided_warm if _is_python(config) else _warm
    return run(function, event, request_id)


def _answer(*invoked: Any) -> Any:
    """What an invocation gave, with all that was logged of it: LogResult is the end of that."""
    result = _dispatch(*invoked)
    said, _last.events = getattr(_last, "events", None), None
    return result | {"log": "\n".join(said)} if said and isinstance(result, dict) else result


def _environment(config: Json, code_dir: str, xray_port: int) -> dict[str, str]:
    logging_config = config.get("LoggingConfig") or {}
    spawning = getattr(_last, "spawning", None)
    environment = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": _log_group(config),
        "AWS_LAMBDA_LOG_STREAM_NAME": spawning.stream if spawning else "",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{xray_port}",
        "PYTHONPATH": code_dir,
    }
    if logging_config.get("LogFormat") == "JSON":
        environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        environment["AWS_LAMBDA_LOG_LEVEL"] = logging_config.get("ApplicationLogLevel", "INFO")
    return environment


def _with_bootstrap(code: bytes) -> str:
    """The folder of an unpacked function, with a bootstrap that starts AWS's Python runtime client in it."""
    folder: str = _code_dir(code)
    bootstrap = Path(folder) / "bootstrap"
    if not bootstrap.exists():
        draft = bootstrap.with_suffix(f".{threading.get_ident()}")
        draft.write_text(f'#!/bin/sh\ncd "$LAMBDA_TASK_ROOT" && exec "{sys.executable}" -m awslambdaric "$_HANDLER"\n')
        draft.chmod(0o755)
        draft.rename(bootstrap)
    return folder


def _error_type(result: Json) -> str:
    if result.get("status") == "ok":
        return ""
    payload = result.get("error_payload")
    return str(payload.get("errorType") or "Error") if isinstance(payload, dict) else "Error"


def _peak_mb(process: subprocess.Popen[bytes] | None) -> int:
    """The process's high-water mark of resident memory, in MB as Lambda counts them; 0 if it is gone."""
    if process is None:
        return 0
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return math.ceil(int(found[1]) / 1024) if found else 0
    resident = subprocess.run(["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, text=True, check=False)
    return math.ceil(int(resident.stdout) / 1024) if resident.stdout.strip().isdigit() else 0


def _log_group(config: Json) -> str:
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


def _finish(
    function: Json,
    request_id: str,
    output: str,
    error: bool,
    duration_ms: int,
    *,
    log_source: str | None = None,
) -> None:
    """Log, measure and trace the invocation that this thread has just run."""
    del log_source
    config = function.get("config") or function
    done: outcome.Outcome | None = getattr(_last, "outcome", None)
    _last.outcome = None
    if done is None or done.request_id != request_id:
        done = _unmeasured(request_id, error=error, duration_ms=duration_ms)
    now_ms = int(done.ended_s * 1000)
    _last.events = outcome.lines(done, config, output)
    events = [(now_ms, line) for line in _last.events]
    group = _log_group(config)
    logs.append(group, done.stream, events)
    dimensions = {"FunctionName": config["FunctionName"]}
    _, running = lambda_svc.executions_in_flight()
    in_flight = running.get(lambda_svc._inflight_key(config), 1)
    for name, value, unit in outcome.metrics(done, in_flight=in_flight):
        cloudwatch.put("AWS/Lambda", name, dimensions, [value], unit=unit, at_s=done.started_s)
    at_once = float(max(1, sum(running.values())))
    for name in ("ConcurrentExecutions", "ClaimedAccountConcurrency"):
        cloudwatch.put("AWS/Lambda", name, {}, [at_once], unit="Count", at_s=done.started_s)
    for document in outcome.segments(done, config, [os.urandom(8).hex() for _ in range(3)]):
        xray.STORE.put(document)
    logs.ingest(group, done.stream, [{"timestamp": at, "message": line} for at, line in events])


def _unmeasured(request_id: str, *, error: bool, duration_ms: int) -> outcome.Outcome:
    """For a function that isn't Python, or could not be started: all that ministack itself knows."""
    now = time.time()
    return outcome.Outcome(
        request_id=request_id,
        started_s=now - duration_ms / 1000,
        ended_s=now,
        init_s=None,
        peak_mb=0,
        stream=f"{time.strftime('%Y/%m/%d', time.gmtime(now))}/[$LATEST]{os.urandom(16).hex()}",
        error_type="Runtime.Unknown" if error else "",
    )


def _count_throttle(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:
    """Invocations are counted where they end; a throttled one never starts."""
    del duration_ms, error
    if throttle:
        cloudwatch.record("AWS/Lambda", "Throttles", 1.0, "Count", {"FunctionName": function_name})
