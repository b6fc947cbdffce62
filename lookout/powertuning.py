"""`lookout rightsize --power-tuning`: a function is invoked at several memory sizes, and put back as it was."""

import argparse
import json
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec, TypeVar

import boto3

from dashboards import formats
from infra.aws import tuning as aws
from infra.aws.session import client, session
from lookout import files, show
from monitors.errors import InputError
from monitors.records import Invocation
from monitors.rightsize.pricelist import PriceList
from monitors.rightsize.prices import X86
from monitors.rightsize.report import Action, MemoryAdvice, MemoryReport
from monitors.rightsize.tuning import INVOCATIONS, Tuning, averages, billed_usd, following, refusal, tuning

P = ParamSpec("P")
R = TypeVar("R")
NOTHING = "{}"
"""The payload where none is named."""
MOST_USD = 0.10
"""What may be spent where --at-most doesn't say."""


def check(chosen: argparse.Namespace) -> None:
    """InputError if the arguments fit nothing, or the payload is no JSON: known before anything is read."""
    if not chosen.power_tuning:
        if chosen.payload or chosen.yes or chosen.at_most is not None:
            raise InputError("--payload, --at-most and --yes are of --power-tuning: name a function with it")
        return
    if not _most_usd(chosen) > 0:
        raise InputError(f"--at-most {chosen.at_most:g}: expected an amount of USD above 0")
    if any(one.partition("=")[0] == chosen.power_tuning for one in chosen.tuned or ()):
        raise InputError(f"{chosen.power_tuning} has a file with --tuned already: choose one")
    if chosen.payload:
        files.read_json(chosen.payload)


def once(read: Callable[P, R]) -> Callable[P, R]:
    """Reads, and gives the same again when called again: it costs once, and is without what a measurement logs."""
    found: list[R] = []

    def again(*arguments: P.args, **named: P.kwargs) -> R:
        if not found:
            found.append(read(*arguments, **named))
        return found[0]

    return again


def measured(chosen: argparse.Namespace, report: MemoryReport, prices: PriceList) -> dict[int, float]:
    """Memory size (MB) -> average duration (ms), of at least two sizes, as `--tuned` takes it.

    What was measured is also kept in a file, whatever ends the measurement: it was paid for.

    Raises:
        InputError: the function can't be measured, nobody agreed to it, or fewer than two sizes were measured.
        AwsError: a call failed, or not everything could be put back.
    """
    name, payload = chosen.power_tuning, files.read_text(chosen.payload) if chosen.payload else NOTHING
    advice = next((one for one in report.advice if one.function == name), None)
    if advice is None:
        raise InputError(f"--power-tuning {name}: no invocation of that name was read")
    account = session()
    function = aws.Function(client(account, "lambda"), name)
    plan = _plan(function, advice, prices, region=str(account.region_name))
    if advice.action is Action.UNKNOWN:
        show.note(f"{advice.reasons[0]}: what is measured will not change that")
    _say(plan, f"{name} in {account.region_name}", at_most_usd=_most_usd(chosen), payload=chosen.payload or NOTHING)
    if sum(step.expected_usd for step in plan.steps[:2]) > _most_usd(chosen):
        raise InputError(
            f"--at-most {_most_usd(chosen):g}: two sizes are expected to cost more; nothing was changed or invoked"
        )
    _agree(chosen.yes)
    done: list[Invocation] = []
    try:
        error = _invoke_all(account, function, plan, payload, done, at_most_usd=_most_usd(chosen))
    finally:
        times = averages(plan, done)
        _say_measured(times, done, formats.usd(billed_usd(plan, done)))
        if len(times) > 1:
            _keep(name, times)
    stopped = f"{name} failed: {error}" if error else "the limit was reached" if len(times) < len(plan.steps) else ""
    if len(times) < 2:
        raise InputError(f"{stopped}: fewer than two sizes were measured, which tells nothing")
    show.note(f"{name} is as it was{f'; {stopped}: the other sizes were not measured' if stopped else ''}")
    return times


def _plan(function: aws.Function, advice: MemoryAdvice, prices: PriceList, *, region: str) -> Tuning:
    found = aws.configuration(function)
    if reason := refusal(found):
        raise InputError(f"{function.name}: {reason}")
    price = prices.price(region, (found.get("Architectures") or [X86])[0])
    return tuning(advice, memory_mb=found["MemorySize"], timeout_ms=1000 * found["Timeout"], price=price)


def _most_usd(chosen: argparse.Namespace) -> float:
    return MOST_USD if chosen.at_most is None else float(chosen.at_most)


def _say(plan: Tuning, where: str, *, at_most_usd: float, payload: str) -> None:
    sizes, own = ", ".join(str(step.memory_mb) for step in plan.steps), plan.memory_mb
    show.note(
        f"power tuning of {where}: {INVOCATIONS} invocations at each of {sizes} MB, one after the other, with {payload}"
    )
    show.note(
        f"they are real: whatever the function does, it does {INVOCATIONS * len(plan.steps)} times. For some seconds "
        f"$LATEST has these sizes in turn, for whoever else invokes it too; it has {own} MB again before the first "
        "invocation. The versions published for it are deleted at the end. Ctrl-C puts everything back"
    )
    show.note(
        f"expected to cost {formats.usd(plan.expected_usd)} by the logs' p50; {formats.usd(plan.worst_usd)} if each "
        f"invocation took the whole timeout of {plan.timeout_ms / 1000:g} s; begins no size that would take it beyond "
        f"{formats.usd(at_most_usd)} (--at-most)"
    )


def _agree(yes: bool) -> None:
    """InputError unless the user said yes, before or now."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("nothing was changed or invoked: say --yes if that is to be done")
    print("invoke it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InputError("nothing was changed or invoked")


def _invoke_all(
    account: boto3.Session,
    function: aws.Function,
    plan: Tuning,
    payload: str,
    done: list[Invocation],
    *,
    at_most_usd: float,
) -> str:
    """Add what is measured to `done`; the words of the function's error that ended it, if one did."""
    invoker = aws.invoker(account, timeout_ms=plan.timeout_ms)
    sizes, total = [step.memory_mb for step in plan.steps], INVOCATIONS * len(plan.steps)
    mark = f"lookout power tuning {secrets.token_hex(4)}"
    with show.progress("power tuning") as progress, aws.published(function, sizes, mark=mark) as versions:
        while size := following(plan, done, at_most_usd=at_most_usd):
            answer = aws.invoke(invoker, function.name, version=versions[size], payload=payload)
            if answer.error or answer.report is None:
                return f"{formats.inert(answer.error)} at {size} MB"
            done.append(answer.report._replace(memory_mb=size))  # counted by size: one without would never be done
            progress(len(done), total)
    return ""


def _say_measured(times: Mapping[int, float], done: Sequence[Invocation], usd: str) -> None:
    told = ", ".join(f"{formats.ms(ms)} at {size} MB" for size, ms in times.items())
    show.note(f"measured {told or 'nothing'}; billed about {usd} for {formats.counted(len(done), 'invocation')}")


def _keep(name: str, times: Mapping[int, float]) -> None:
    """Write what --tuned reads."""
    path = f"{name}.tuned.json"
    text = json.dumps({"stats": [{"value": size, "averageDuration": ms} for size, ms in times.items()]})
    try:
        files.write(path, text + "\n")
    except InputError as error:
        show.note(f"{error}; to keep it for --tuned: {text}")
    else:
        show.note(f"kept for the next report: --tuned {name}={path}")
