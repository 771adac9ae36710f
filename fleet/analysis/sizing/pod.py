"""Requests and limits of a Kubernetes pod that would hold N control planes, derived as kplane's bench does.

Its table: `requests.memory` is the RSS at rest and 10 % more, `limits.memory` the peak of a cold start and a safety
factor, `requests.cpu` the mean CPU at rest, `limits.cpu` the peak CPU of the bootstrap. In the worked example of its
README the safety factor is 1.2 (6.67 GiB become 8 Gi).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.analysis.sizing.line import Estimate, Line, line_of
from fleet.analysis.sizing.observation import Observation, Setup, Source

HEADROOM = 1.10
SAFETY = 1.20
MEMORY_STEP = 64 << 20
CPU_STEP = 10
"""Millicores."""
LEAST_CPU = 10


@dataclass(frozen=True)
class Rule:
    """One field of the pod."""

    field: str
    quantity: str
    factor: float
    text: str


RULES = (
    Rule("requests.memory", "rss", HEADROOM, "RSS at rest and 10 %"),
    Rule("limits.memory", "peak_rss", SAFETY, "peak RSS of the start, times 1.2"),
    Rule("requests.cpu", "idle_cpu", 1.0, "mean CPU at rest"),
    Rule("limits.cpu", "cpu_peak", 1.0, "peak CPU of the start"),
)
SOURCES: tuple[Source, ...] = ("density", "rest")
"""The experiment density has all four; of a fleet the programs of its WECs are taken, without a peak of CPU."""


@dataclass(frozen=True)
class PodField:
    """`written` is what a manifest would say; `estimate` what was measured, times the rule's factor, with its error."""

    field: str
    written: str
    at_most: str
    """With the upper end of the interval; empty where the error is not known."""
    estimate: Estimate
    text: str
    beyond: int | None


def pod(observations: Sequence[Observation], setup: Setup, planes: int) -> list[PodField]:
    """Fields that are known, in the order of `RULES`; empty where nothing was measured with that driver."""
    for source in SOURCES:
        mine = [one for one in observations if one.source == source and _suits(one, setup)]
        found = [field for rule in RULES if (field := _field(rule, mine, planes)) is not None]
        if found:
            return found
    return []


def _suits(one: Observation, setup: Setup) -> bool:
    return one.setup.driver == setup.driver if one.source == "density" else one.setup == setup


def _field(rule: Rule, observations: Sequence[Observation], planes: int) -> PodField | None:
    key = f"{rule.quantity}.planes"
    line: Line | None = line_of([(float(one.wecs), one.values[key]) for one in observations if key in one.values])
    if line is None:
        return None
    estimate = line.at(planes).at_least(0.0).times(rule.factor)
    write = memory if rule.field.endswith("memory") else cpu
    at_most = "" if estimate.high is None else write(estimate.high)
    beyond = None if line.least <= planes <= line.most else line.most if planes > line.most else line.least
    return PodField(rule.field, write(estimate.value), at_most, estimate, rule.text, beyond)


def memory(size: float) -> str:
    """Bytes as a Kubernetes quantity, rounded up to 64 Mi."""
    steps = max(1, math.ceil(round(size / MEMORY_STEP, 6)))
    mebi = steps * (MEMORY_STEP >> 20)
    return f"{mebi // 1024}Gi" if mebi % 1024 == 0 else f"{mebi}Mi"


def cpu(cores: float) -> str:
    """Cores as millicores, rounded up to 10."""
    milli = max(LEAST_CPU, math.ceil(round(cores * 1000 / CPU_STEP, 6)) * CPU_STEP)
    return f"{milli}m"
