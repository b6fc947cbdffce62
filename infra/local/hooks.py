"""Every name of ministack that the bridges wrap or call: written down once, checked before anything starts.

The embedded account stands on ministack's internals, so it needs one exact version. When that version moves, this
check says which names went, in one message, and not a traceback in the middle of a demo.
"""

import importlib
from importlib import metadata
from operator import attrgetter

from monitors.errors import LocalAccountError

VERSION = "1.5.33"

NAMES: dict[str, tuple[str, ...]] = {
    "ministack.app": ("app",),
    "ministack.core.lambda_runtime": (
        "ProvidedWorker",
        "ProvidedWorker._build_handler_class",
        "ProvidedWorker._drain_stderr",
        "ProvidedWorker._drain_stderr_bounded",
        "ProvidedWorker._spawn",
        "ProvidedWorker.invoke",
        "_worker_class_for",
        "reset",
    ),
    "ministack.core.responses": (
        "_request_account_id",
        "_request_region",
        "error_response_json",
        "get_account_id",
        "get_region",
        "json_response",
        "new_uuid",
    ),
    "ministack.services.lambda_svc": (
        "_ESM_BACKOFF_SECONDS",
        "_emit_lambda_logs",
        "_emit_lambda_metrics",
        "_execute_function_dispatch",
        "_execute_function_provided_warm",
        "_execute_function_warm",
        "_functions",
        "_inflight_key",
        "_provided_runtime_code_dir",
        "_provided_worker_env",
        "executions_in_flight",
        "invoke_async_with_retry",
    ),
    "ministack.services.cloudwatch": (
        "_alarms",
        "_cbor_metric_data_result",
        "_cbor_datapoint",
        "_cbor_ok",
        "_composite_alarms",
        "_dispatch_alarm_actions",
        "_error",
        "_evaluate_alarm",
        "_evaluate_all_alarms",
        "_evaluate_parent_alarms",
        "_evict_old_metrics",
        "_get_metric_data",
        "_get_metric_statistics",
        "_json_ok",
        "_list_metrics",
        "_parse_ts",
        "_put_composite_alarm",
        "_put_metric_alarm",
        "_record_history",
        "_store_datum",
        "_ts_iso",
        "record_metric",
    ),
    "ministack.services.cloudwatch_logs": (
        "_append_log_events",
        "_create_log_group",
        "_create_log_stream",
        "_fanout_to_subscription_filters",
        "_filter_log_events",
        "_log_groups",
        "_metric_filters",
        "_put_metric_filter",
        "_put_subscription_filter",
    ),
    "ministack.services.apigateway": ("_apis",),
    "ministack.services.firehose": ("_put_record",),
    "ministack.services.apigateway_v1": ("_rest_apis",),
    "ministack.services.sns": ("_fanout",),
    "ministack.services.sqs": ("_queues",),
    "ministack.services.cloudformation.provisioners": (
        "_RESOURCE_HANDLERS",
        "_cw_metric_alarm_record",
    ),
}


def installed() -> str:
    """The version of ministack that is installed; LocalAccountError, with the way out, if none is."""
    try:
        return metadata.version("ministack")
    except metadata.PackageNotFoundError:
        raise LocalAccountError(
            "the embedded account needs the extra `local`: pip install 'lambda-lookout[local]'"
        ) from None


def check() -> None:
    """Raise LocalAccountError naming all that is missing; return if every hook is there. Imports ministack."""
    missing = [f"{module}.{name}" for module, names in NAMES.items() for name in names if not _has(module, name)]
    if missing:
        raise LocalAccountError(
            f"ministack {installed()} lacks what the embedded account stands on: {', '.join(missing)}. "
            f"Install the version it was written for: pip install ministack=={VERSION}"
        )


def _has(module: str, name: str) -> bool:
    try:
        attrgetter(name)(importlib.import_module(module))
    except (ImportError, AttributeError):
        return False
    return True
