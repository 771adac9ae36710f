"""A trace made shorter, longer, smaller or larger: what was done is noted in its header."""

from __future__ import annotations

import random
from collections.abc import Sequence

from fleet.errors import UsageError
from fleet.model.trace import Owner, Pod
from fleet.trace.file import POD_LIMIT, Trace, ordered

MOST = 1e6
"""Of a factor of time."""


def stretched(trace: Trace, factor: float) -> Trace:
    """Every time multiplied by `factor`: 0.1 is ten times faster."""
    if not 0 < factor <= MOST:
        raise UsageError(f"--time: {factor:g} is not a factor above 0")

    def times(value: float | None) -> float | None:
        return None if value is None else value * factor

    pods = [
        pod.model_copy(
            update={"t": pod.t * factor, "wait": times(pod.wait), "life": times(pod.life), "lasted": times(pod.lasted)}
        )
        for pod in trace.pods
    ]
    return _made(trace, pods, trace.header.span * factor, f"times multiplied by {factor:g}")


def between(trace: Trace, begin: float, end: float) -> Trace:
    """Pods that came in these seconds, `begin` included; `t` counts from `begin`. Those that were there before stay
    out when it is above 0."""
    if not 0 <= begin < end:
        raise UsageError(f"--from {begin:g} s, --until {end:g} s: the first must be smaller")
    chosen = [pod for pod in trace.pods if begin <= pod.t < end and not (pod.before and begin > 0)]
    pods = [pod.model_copy(update={"t": pod.t - begin}) for pod in chosen]
    span = min(end, max(trace.header.span, begin)) - begin
    return _made(trace, pods, span, f"pods that came from {begin:g} s to {end:g} s")


def sampled(trace: Trace, count: int, seed: int) -> Trace:
    """So many pods, chosen at random; the same seed chooses the same."""
    if not 0 < count <= len(trace.pods):
        raise UsageError(f"--pods: {count} is not between 1 and the {len(trace.pods)} pods of the trace")
    chosen = random.Random(f"pods/{seed}").sample(trace.pods, count)  # noqa: S311 - reproducible, not a secret
    return _made(trace, chosen, trace.header.span, f"{count} of {len(trace.pods)} pods, seed {seed}")


def sized(trace: Trace, factor: float, seed: int) -> Trace:
    """`factor` times as many pods: whole copies, and a random part of one. A copy has keys and owners of its own, and
    comes up to one mean gap later, so that copies do not come in bursts."""
    if factor <= 0 or factor * len(trace.pods) > POD_LIMIT:
        raise UsageError(f"--size: {factor:g} is not a factor that gives 1 to {POD_LIMIT} pods")
    chance = random.Random(f"size/{seed}")  # noqa: S311 - reproducible, not a secret
    gap = trace.header.span / max(1, len(trace.pods))
    copies = int(factor)
    pods: list[Pod] = list(trace.pods) if copies else []
    for number in range(1, copies):
        pods += [_copy(pod, number, chance.uniform(0, gap)) for pod in trace.pods]
    rest = round((factor - copies) * len(trace.pods))
    part = chance.sample(trace.pods, rest)
    pods += [_copy(pod, copies, chance.uniform(0, gap)) for pod in part] if copies else part
    return _made(trace, pods, trace.header.span, f"size multiplied by {factor:g}, seed {seed}")


def _copy(pod: Pod, number: int, later: float) -> Pod:
    owner = None if pod.owner is None else Owner(kind=pod.owner.kind, name=f"{pod.owner.name}-c{number}")
    moment = pod.t if pod.before else pod.t + later
    return pod.model_copy(update={"key": f"{pod.key}-c{number}", "owner": owner, "t": moment})


def _made(trace: Trace, pods: Sequence[Pod], span: float, note: str) -> Trace:
    if not pods:
        raise UsageError(f"no pod is left of {len(trace.pods)}: {note}")
    notes = [*trace.header.notes, note][-100:]
    update = {"pods": len(pods), "span": round(span, 6), "notes": notes}
    return Trace(trace.header.model_copy(update=update), ordered(pods))
