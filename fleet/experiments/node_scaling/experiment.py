"""node-scaling: its trials, what it refuses, and the growth."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import groupby

from fleet.errors import FleetError, SpecError, UsageError
from fleet.experiment.own import OwnExperiment
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.reconfigure import Nodes, Refitted
from fleet.experiment.session import Session
from fleet.experiment.watches import Watches, pod_marks
from fleet.experiments.node_scaling.heartbeats import Heartbeats
from fleet.experiments.node_scaling.limits import IDLE, PODS
from fleet.experiments.node_scaling.spec import NodeScaling
from fleet.experiments.node_scaling.trial import NodeTrial, Trial
from fleet.kube import resources
from fleet.managers.manager import Manager
from fleet.model.fleet_file import FleetFile
from fleet.model.pod_marks import RUNNING, SCHEDULED
from fleet.model.run_names import trial_id
from fleet.model.stage import Stage
from fleet.observe.marks import Mark, Object

POD = str(resources.PODS)
ENDED = "growth ended"
"""A measured line, 1, whose labels say why: `simulator`, `why`."""
BUDGET, MOST = "the budget of time", "the most that the file requests"


UNCHANGED = "Nothing was changed"
"""What `fleet up` says below the reason of a refusal."""


class NodeScalingExperiment(OwnExperiment[NodeScaling]):
    """The body."""

    name = "node-scaling"
    file = NodeScaling
    own_stages = (
        Stage(name="lag", begin="due", end="sent", text="a creation due, sent by the driver"),
        Stage(name="create", begin="sent", end="answered", text="a creation sent, answered"),
        Stage(name="schedule", begin="created", end=SCHEDULED, text="a pod seen, has a node", resource=POD),
        Stage(name="start", begin="created", end=RUNNING, text="a pod seen, runs", resource=POD),
    )

    def plan(self, spec: NodeScaling, fleet: FleetFile, manager: Manager) -> Sequence[NodeTrial]:  # noqa: ARG002
        """A trial per simulator and number of nodes; those beyond a limit are not carried out."""
        wecs = [wec.name for wec in fleet.wecs()]
        if len(wecs) != 1:
            raise UsageError(
                f"node-scaling grows the nodes of one WEC, and the fleet {fleet.name} has {len(wecs)}:"
                " fleet up -e manager=none -e wec_count=1"
            )
        if any(not cluster.built for cluster in fleet.clusters):
            raise UsageError("node-scaling changes the nodes of a WEC that the fleet built, and this one was there")
        if any(machine.connection != "local" for machine in fleet.machines):
            raise UsageError("node-scaling measures programs of its own machine: the fleet is on another one")
        if spec.during:
            raise SpecError("a fault would be measured as a limit: run it in another experiment", field="during")
        what = f"at rest, and with {spec.pods_per_node} pods on each" if spec.pods_per_node else "at rest"
        return [
            NodeTrial(
                trial_id(number), repeat, f"simulator={simulator} nodes={count}", tuple(wecs), what,
                simulator=simulator, nodes=count,
            )
            for number, (repeat, simulator, count) in enumerate(_turns(spec))
        ]  # fmt: skip

    def refits(self, trials: Sequence[NodeTrial]) -> bool:  # noqa: ARG002
        """It changes the nodes."""
        return True

    async def run(self, session: Session, trials: Sequence[NodeTrial]) -> None:
        """Simulator after simulator, each until a limit, its budget or the end of its trials."""
        names = session.names
        client = next(iter(session.spaces.wecs.values()))
        async with session.step("prepare"):
            await make_namespaces(session.spaces, session.manager, names, {names.namespace}, pods=True)

        def read(_: str, pod: Object) -> Iterator[Mark]:
            return pod_marks(pod)

        async with (
            Refitted(session, session.reconfigure, session.fleet) as refitted,
            Watches(session, [client.cluster], {resources.PODS: read}) as watches,
            Heartbeats(session, client) as hearts,
            session.measuring(),
        ):
            for (simulator, _), mine in groupby(trials, key=lambda trial: (trial.simulator, trial.repeat)):
                growth = Growth(session, refitted, watches, hearts)
                why = await growth.run(list(mine))
                session.measured(ENDED, 1.0, "", simulator=simulator, why=why)
                session.progress.note(f"{simulator}: {why}")


class Growth:
    """The steps of one simulator."""

    def __init__(self, session: Session, refitted: Refitted, watches: Watches, hearts: Heartbeats) -> None:
        self._session = session
        self._refitted = refitted
        self._watches = watches
        self._hearts = hearts

    async def run(self, trials: Sequence[NodeTrial]) -> str:
        """Why it ended, as a clause. Nodes at rest go on growing when pods on them have passed a limit."""
        spec: NodeScaling = self._session.spec
        client = next(iter(self._session.spaces.wecs.values()))
        end, pods = time.monotonic() + spec.budget, spec.pods_per_node > 0
        took = 0.0
        for trial in trials:
            begin = time.monotonic()
            if begin + took * spec.factor > end:
                return f"{BUDGET} ({spec.budget:g} s) was over before {trial.nodes} nodes"
            try:
                await self._refitted.have({}, nodes=Nodes(trial.simulator, trial.nodes))
            except FleetError as error:
                return f"{trial.nodes} nodes did not come up: {_last(error)}"
            self._watches.begin(trial.id)
            body = Trial(self._session, trial, client, self._watches, self._hearts)
            await body.run(pods=pods)
            took = time.monotonic() - begin
            if body.passed[IDLE]:
                return f"{trial.nodes} nodes at rest: {'; '.join(body.passed[IDLE])}"
            pods = pods and not body.passed.get(PODS)
        return f"{MOST} ({spec.most} nodes) was reached"


def _turns(spec: NodeScaling) -> Iterator[tuple[int, str, int]]:
    for repeat in range(spec.repeats):
        for simulator in spec.played:
            for count in spec.counts():
                yield repeat, simulator, count


def _last(error: FleetError) -> str:
    """The last line of what was said that says why."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and UNCHANGED not in line]
    return lines[-1] if lines else type(error).__name__


EXPERIMENT = NodeScalingExperiment()
"""Finds node-scaling by its folder."""
