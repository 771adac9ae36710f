"""The file of `replay`, and what of a trace and a fleet is refused before anything is touched."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from fleet.analysis.stats import quantile
from fleet.errors import UsageError
from fleet.experiment.routes import Through
from fleet.experiments.values import once
from fleet.model.base import Name
from fleet.model.experiment_file import ExperimentFile
from fleet.model.fleet_file import FleetFile
from fleet.simulators.simulator import simulator
from fleet.trace.file import Trace
from fleet.trace.summary import peak

RELIST_SECONDS = 1.0
"""A kubelet looks at its containers once a second: it ends a pod up to this late."""
MOST_LIFE_ERROR = 0.05
Speed = Annotated[float, Field(ge=0.01, le=50)]


class Replay(ExperimentFile):
    """A trace, played once per speed and repeat."""

    QUICK: ClassVar[dict[str, Any]] = {"speeds": [10.0], "repeats": 1, "warmup": 0}

    experiment: Literal["replay"]
    name: Name = "replay"
    repeats: int = Field(default=1, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)
    trace: str = Field(default="small-fleet", min_length=1, max_length=4096)
    """A name in experiments/traces/, or the path of a file."""
    speeds: list[Speed] = Field(default=[1.0], min_length=1, max_length=100)
    """How many times faster than it was recorded; one point each."""
    clusters: Annotated[int, Field(ge=1)] | Literal["all"] = 1
    """WECs that it is spread over: each recorded cluster goes to one, else pods take turns."""
    through: Through = "direct"
    """Into the WECs, or by the manager's source."""
    owners: Literal["pods", "controllers"] = "pods"
    """Bare pods, exact; or Jobs and ReplicaSets, whose controllers are then under test."""
    requests: Literal["recorded", "none"] = "recorded"
    """What pods ask of their nodes."""
    priorities: Literal["recorded", "none"] = "recorded"
    """By PriorityClasses that the run makes in its WECs and takes away again."""

    _once = field_validator("speeds")(once)


def check(spec: Replay, trace: Trace, fleet: FleetFile, wecs: int) -> None:
    """UsageError, with the numbers, for what cannot be played here."""
    if not trace.pods:
        raise UsageError("trace: has no pod")
    nodes = simulator(fleet.node_simulator)
    if not nodes.capacity:
        said = f"no node of this fleet plays pods (node_simulator: {fleet.node_simulator})"
        raise UsageError(f"trace: {said}: build it with another one")
    if nodes.kubelets:
        for speed in spec.speeds:
            _check_speed(speed, trace)
    if fleet.wec_nodes:
        each = int(nodes.capacity["pods"])
        room = wecs * fleet.wec_nodes * each
        most = peak(trace.pods)
        if most > room:
            said = f"{most} pods are there at once, {wecs} WECs with {fleet.wec_nodes} nodes hold {room}"
            raise UsageError(f"trace: {said}: more nodes (wec_nodes), more WECs, or `fleet trace scale`")
    if spec.requests == "recorded":
        strange = Counter(name for pod in trace.pods for name in pod.requests if name not in nodes.capacity)
        if strange:
            name, count = strange.most_common(1)[0]
            raise UsageError(f"requests: {count} pods request {name}, which no node here has: write `none`")


def _check_speed(speed: float, trace: Trace) -> None:
    lives = sorted(
        pod.life / speed for pod in trace.pods if pod.life is not None and pod.end in ("succeeded", "failed")
    )
    if speed <= 1 or not lives:
        return
    least = RELIST_SECONDS / MOST_LIFE_ERROR
    tenth = quantile(lives, 0.1)
    if tenth < least:
        raise UsageError(
            f"speeds: at {speed:g} times the shortest tenth of the pods lives {tenth:.1f} s or less, and a kubelet "
            f"ends a pod up to {RELIST_SECONDS:g} s late, more than {MOST_LIFE_ERROR:.0%} of less than {least:g} s: "
            "slower, or on nodes without kubelets (node_simulator)"
        )
