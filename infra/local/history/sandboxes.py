"""One invocation at a time -> which sandbox takes it, how long it runs, what memory it shows."""

import math
import time
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from infra.local.history import plants
from infra.local.history.profiles import ASK_CARRIER, LEAK_VISITS, PROFILES, Dependency, Profile

FIRST_CALL = 2.2
"""How much more a sandbox's first invocation computes: connections are made, code is loaded."""
BY_NAME = {profile.function: profile for profile in PROFILES}

ASYNCHRONOUS = frozenset({"async", "sns", "s3", "schedule"})
"""The kinds of origin that leave an event in Lambda's own queue, to be tried up to three times."""


class Origin(NamedTuple):
    """What an invocation comes from."""

    kind: str
    """rest, http, sns, sqs, async, stream, schedule, s3, states, or invoke: by another function that waits."""
    sent_s: float
    """When the request, message or record was first made."""
    trace_id: str = ""
    """Empty where X-Ray did not sample it."""
    caller: int = 0
    """The request id of the invocation whose call this is, 0 if there is none."""
    attempt: int = 1


class Call(NamedTuple):
    dependency: Dependency
    ms: float


class Run(NamedTuple):
    """One invocation: the truth that metrics, logs and traces are made from."""

    function: str
    stream: str
    request: int
    """128 bits; the attempts of an asynchronous invocation share it, as in AWS."""
    arrived_s: float
    start_s: float
    duration_ms: float
    init_ms: float | None
    memory_mb: int
    used_mb: int
    status: str
    """success, error (the handler raised), timeout or killed (out of memory)."""
    error: str
    calls: tuple[Call, ...]
    concurrency: int
    origin: Origin

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_ms / 1000


@dataclass(slots=True)
class Sandbox:
    """An execution environment: Max Memory Used is its high-water mark, not the invocation's."""

    stream: str
    memory_mb: int
    retired_s: float
    free_s: float = 0.0
    used_mb: float = 0.0
    visits: int = 0


@dataclass(slots=True)
class World:
    """The state of a simulation under way."""

    windows: plants.Windows
    rng: Random
    sandboxes: dict[str, list[Sandbox]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)


def invoke(
    world: World,
    function: str,
    arrived_s: float,
    origin: Origin,
    *,
    calls: tuple[Dependency, ...] | None = None,
    error: str = "",
    request: int = 0,
) -> Run:
    """The invocation that arrives at the Lambda service then, kept in `world.runs`; `error` is what the handler raises.

    A function that it calls and waits for is invoked on the way.
    """
    profile = BY_NAME[function]
    request = request or world.rng.getrandbits(128)
    sandbox, busy = _sandbox(world, profile, arrived_s)
    start_s, init_ms = _start(world.rng, profile, arrived_s, cold=not sandbox.visits)
    compute_ms = plants.compute_ms(world.windows, profile, sandbox.memory_mb, at_s=arrived_s, rng=world.rng) * (
        1 if sandbox.visits else FIRST_CALL
    )
    made = _calls(world, profile.calls if calls is None else calls, start_s + compute_ms / 2000, origin, request)
    duration_ms = compute_ms + sum(call.ms for call in made)
    killed = _use(world.rng, profile, sandbox, arrived_s)
    status = "killed" if killed else "error" if error else "success"
    if duration_ms > profile.timeout_s * 1000:
        duration_ms, made, status = profile.timeout_s * 1000.0, (), "timeout"
    run = Run(
        function=function,
        stream=sandbox.stream,
        request=request,
        arrived_s=arrived_s,
        start_s=start_s,
        duration_ms=duration_ms,
        init_ms=init_ms,
        memory_mb=sandbox.memory_mb,
        used_mb=min(round(sandbox.used_mb), sandbox.memory_mb),
        status=status,
        error=error if status == "error" else "",
        calls=made,
        concurrency=busy + 1,
        origin=origin,
    )
    sandbox.free_s = run.end_s
    sandbox.retired_s = 0.0 if status in ("killed", "timeout") else sandbox.retired_s
    world.runs.append(run)
    return run


def _sandbox(world: World, profile: Profile, at_s: float) -> tuple[Sandbox, int]:
    """(the sandbox that was free last, or a new one; how many others are busy)"""
    memory_mb = plants.memory_mb(world.windows, profile, at_s)
    idle_s = plants.keep_alive_s(world.windows, profile, at_s)
    alive = [
        each
        for each in world.sandboxes.get(profile.function, ())
        if at_s < each.retired_s and at_s - each.free_s < idle_s and each.memory_mb == memory_mb
    ]
    world.sandboxes[profile.function] = alive
    free = [each for each in alive if each.free_s <= at_s]
    busy = len(alive) - len(free)
    if free:
        return max(free, key=lambda each: each.free_s), busy
    day = time.strftime("%Y/%m/%d", time.gmtime(at_s))
    name = f"{day}/[{profile.version}]{world.rng.getrandbits(128):032x}"
    new = Sandbox(name, memory_mb, retired_s=at_s + world.rng.uniform(3, 9) * 3600)
    alive.append(new)
    return new, busy


def _start(rng: Random, profile: Profile, arrived_s: float, *, cold: bool) -> tuple[float, float | None]:
    """(when the handler starts, Init Duration in ms if the sandbox had to be started)"""
    if not cold:
        return arrived_s + rng.uniform(0.004, 0.014), None
    init_ms = profile.init_ms * math.exp(rng.gauss(0, 0.12))
    return arrived_s + rng.uniform(0.16, 0.45) + init_ms / 1000 + rng.uniform(0.001, 0.008), init_ms


def _calls(world: World, wanted: tuple[Dependency, ...], at_s: float, origin: Origin, request: int) -> tuple[Call, ...]:
    made = []
    for dependency in wanted:
        if dependency is ASK_CARRIER:
            asked = Origin("invoke", at_s, origin.trace_id, request)
            ms = (invoke(world, dependency.resource, at_s + 0.015, asked).end_s - at_s) * 1000 + 4
        else:
            ms = plants.call_ms(world.windows, dependency, at_s, world.rng)
        made.append(Call(dependency, ms))
        at_s += ms / 1000
    return tuple(made)


def _use(rng: Random, profile: Profile, sandbox: Sandbox, at_s: float) -> bool:
    """Let the invocation use the sandbox's memory; whether it was killed for it."""
    need_mb = plants.need_mb(profile, at_s) * ((1 if sandbox.visits else 0.94) + abs(rng.gauss(0, 0.015)))
    need_mb += profile.leak_mb * min(sandbox.visits, LEAK_VISITS)
    sandbox.visits += 1
    sandbox.used_mb = max(sandbox.used_mb, need_mb)
    return need_mb > sandbox.memory_mb
