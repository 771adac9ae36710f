"""The scenarios of Karpenter's performance suite: which Deployments, what is changed then, what upstream asserts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

ScenarioName = Literal["basic", "drift", "do-not-disrupt", "hostname-spread", "wide", "xl"]
Change = Literal["consolidation", "drift"]
MINUTE = 60.0
POINT = "scenario="
"""How the points of trials begin."""


@dataclass(frozen=True)
class Load:
    """One Deployment."""

    name: str
    replicas: int
    after: int
    """Replicas when the load is reduced."""
    cpu: str
    memory: str
    per_host: bool = False
    """Spread over host names, at most one more on one than on another."""
    per_zone: bool = False
    """The same over zones."""
    alone: bool = False
    """No two of its pods on one node."""
    protected: bool = False
    """Karpenter must not disrupt the nodes of its pods."""


@dataclass(frozen=True)
class Asserted:
    """What upstream's test asserts of one of its two phases; None: nothing."""

    seconds: float | None = None
    """The phase takes less."""
    cpu: float | None = None
    """Mean share of a node's CPU that pods reserve, at its end: more."""
    memory: float | None = None
    """The same of memory."""
    resident: float | None = None
    """P95 of Karpenter's resident memory, MB: less."""
    cores: float | None = None
    """Karpenter's CPU, mean over the phase: less."""
    protected: float | None = None
    """Pods that must not be disrupted and were: less. (Upstream looks whether any of their nodes is still there.)"""


@dataclass(frozen=True)
class Scenario:
    """One test of the suite."""

    name: ScenarioName
    loads: Sequence[Load]
    change: Change
    scale_out: Asserted
    changed: Asserted
    text: str

    @property
    def pods(self) -> int:
        """Of all Deployments, before the change."""
        return sum(load.replicas for load in self.loads)

    @property
    def left(self) -> int:
        """Pods when the change is over."""
        return self.pods if self.change == "drift" else sum(load.after for load in self.loads)


def scaled(scenario: Scenario, share: float) -> Scenario:
    """With that share of the pods, at least two of each Deployment before the change and one after it."""

    def part(load: Load) -> Load:
        replicas = max(2, round(load.replicas * share))
        after = replicas if load.after == load.replicas else max(1, round(load.after * share))
        return replace(load, replicas=replicas, after=after)

    return replace(scenario, loads=[part(load) for load in scenario.loads])


def _two(replicas: int, after: int, *, per_host: bool = False) -> tuple[Load, Load]:
    """The pair that most of the suite is made of."""
    return (
        Load("small", replicas, after, "900m", "3100Mi", per_host=per_host),
        Load("large", replicas, after, "3500m", "28Gi"),
    )


_WIDE_CPU = (
    240, 450, 650, 900, 1400, 1900, 2400, 2800, 3300, 3700,
    2300, 900, 1300, 2800, 1800, 1850, 3300, 3800, 225, 450,
    700, 900, 1300, 1800, 2400, 2800, 3400, 3800, 3300, 2800,
)  # fmt: skip
"""Of 30 Deployments, millicores."""
_WIDE_MEMORY = (
    300, 400, 700, 1024, 2048, 4096, 8192, 4096, 16384, 10240,
    65536, 30720, 32768, 32768, 30720, 20480, 30720, 300, 500, 750,
    1024, 2048, 4096, 8192, 16384, 32768, 28672, 65536, 13312, 24576,
)  # fmt: skip
"""The same, MiB."""
_FEWER_FROM = 20
"""The first 20 have 35 pods, the others 30."""


def _wide() -> tuple[Load, ...]:
    """Three kept apart, three spread over hosts, all spread over zones."""
    return tuple(
        Load(
            f"wide-{number + 1:02d}",
            35 if number < _FEWER_FROM else 30,
            25 if number < _FEWER_FROM else 20,
            f"{cpu}m",
            f"{memory}Mi",
            per_host=number in range(3, 6),
            per_zone=True,
            alone=number < 3,  # noqa: PLR2004
        )
        for number, (cpu, memory) in enumerate(zip(_WIDE_CPU, _WIDE_MEMORY, strict=True))
    )


_SPREAD = Asserted(cpu=0.38, memory=0.40)
SCENARIOS: Mapping[ScenarioName, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "basic", _two(500, 350), "consolidation",
            Asserted(2 * MINUTE, 0.53, 0.65, 260, 0.50), Asserted(20 * MINUTE, resident=260, cores=0.25),
            "500 small and 500 large pods, then 350 of each",
        ),
        Scenario(
            "drift", _two(300, 300, per_host=True), "drift",
            Asserted(5 * MINUTE), Asserted(50 * MINUTE),
            "300 pods spread over hosts and 300 large ones, then the NodePool's template changes",
        ),
        Scenario(
            "do-not-disrupt",
            (*_two(500, 250, per_host=True), Load("protected", 100, 100, "900m", "450Mi", protected=True)),
            "consolidation", replace(_SPREAD, seconds=4 * MINUTE), replace(_SPREAD, seconds=35 * MINUTE, protected=1),
            "1,000 pods and 100 that must not be disrupted, then 250 of each and the 100",
        ),
        Scenario(
            "hostname-spread", _two(500, 350, per_host=True), "consolidation",
            replace(_SPREAD, seconds=5 * MINUTE), _SPREAD,
            "500 small pods spread over hosts and 500 large ones, then 350 of each",
        ),
        Scenario(
            "wide", _wide(), "consolidation",
            Asserted(5 * MINUTE, 0.20, 0.20), Asserted(40 * MINUTE, 0.20, 0.20),
            "1,000 pods of 30 Deployments over zones, then 700",
        ),
        Scenario(
            "xl", _two(1000, 700, per_host=True), "consolidation",
            Asserted(35 * MINUTE, 0.38, 0.40, 1330, 1.40), Asserted(35 * MINUTE, 0.38, 0.40),
            "1,000 small pods spread over hosts and 1,000 large ones, then 700 of each",
        ),
    )
}  # fmt: skip
"""As upstream's test/suites/performance has them; sizes of memory and CPU of Karpenter at its commit 2266468104."""


def scale_out_stage(scenario: ScenarioName) -> str:
    """Name of the stage that is a scenario's first phase."""
    return f"{scenario.replace('-', '_')}_scale_out"


def change_stage(scenario: ScenarioName) -> str:
    """Name of the stage that is its second phase."""
    what = "replacement" if SCENARIOS[scenario].change == "drift" else "consolidation"
    return f"{scenario.replace('-', '_')}_{what}"
