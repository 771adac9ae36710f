"""Its trials and its body."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

from fleet.errors import UsageError
from fleet.experiment import routes
from fleet.experiment.own import OwnExperiment, PlannedTrial, repeated
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.routes import Route
from fleet.experiment.session import Session
from fleet.experiment.sweep import sweep
from fleet.experiment.watches import Watches
from fleet.experiments.play import reading
from fleet.experiments.play.actions.action import Item
from fleet.experiments.play.player import Index, Player
from fleet.experiments.play.spec import Play, creations, everything, sized
from fleet.experiments.play.watchers import Watchers
from fleet.kube import resources
from fleet.kube.each import AT_ONCE, each
from fleet.kube.errors import NotFound
from fleet.kube.resources import Resource
from fleet.managers.manager import Manager
from fleet.model.fleet_file import FleetFile
from fleet.model.pod_marks import RUNNING, SCHEDULED, TERMINATING
from fleet.model.stage import Stage
from fleet.workload.content import Content
from fleet.workload.profiles import content_of

PODS = str(resources.PODS)


class PlayExperiment(OwnExperiment[Play]):
    """The body."""

    name = "play"
    file = Play
    own_stages = (
        Stage(name="lag", begin="due", end="sent", text="a creation due, sent by the driver"),
        Stage(name="create", begin="sent", end="answered", text="a creation sent, answered"),
        Stage(name="create-seen", begin="sent", end="created", text="a creation sent, seen in its WEC"),
        Stage(
            name="create-ready", begin="sent", end=reading.READY, text="a creation sent, its status final", settles=True
        ),
        Stage(name="pod-schedule", begin="created", end=SCHEDULED, text="a pod seen, has a node", resource=PODS),
        Stage(
            name="pod-start", begin=SCHEDULED, end=RUNNING, text="a pod has a node, runs", resource=PODS, optional=True
        ),
        Stage(
            name="pod-end", begin=TERMINATING, end="deleted", text="a deletion seen, gone", resource=PODS, optional=True
        ),
    )

    def plan(self, spec: Play, fleet: FleetFile, manager: Manager) -> Sequence[PlannedTrial]:
        """A trial per repeat."""
        wecs = routes.chosen(fleet, spec.clusters)
        routes.check(spec.through, manager)
        if spec.through == "manager" and manager.wraps:
            for step in everything(spec.steps):
                if step.aimed is not None and step.aimed[0] != "delete":
                    raise UsageError(
                        f"steps: {step.aimed[0]}: {manager.name} wraps objects at its source, and a wrapped one cannot "
                        "be changed so: create and delete, or `through: direct`"
                    )
        for content in _contents(spec).values():
            if content.crds:
                raise UsageError(f"steps: the profile {content.name} brings CRDs, which `play` does not install")
        objects = sum(sized(step.create.objects, spec.size) for step in creations(spec.steps) if step.create)
        return [
            PlannedTrial(one.id, one.repeat, "", wecs, f"{objects} objects in {len(everything(spec.steps))} steps")
            for one in repeated(spec, [""], wecs)
        ]

    async def run(self, session: Session, trials: Sequence[PlannedTrial]) -> None:
        """Every trial under the same watches; what it made is gone before the next."""
        spec: Play = session.spec
        contents, names = _contents(spec), session.names
        kinds = tuple(dict.fromkeys(resource for content in contents.values() for resource in content.resources))
        async with session.step("prepare"):
            await make_namespaces(session.spaces, session.manager, names, {names.namespace}, pods=True)
            ways = await routes.opened(session, spec.through, trials[0].clusters, kinds)
        index = Index()
        readers = {kind: index.reader(kind) for kind in dict.fromkeys([resources.PODS, *kinds])}
        async with Watches(session, trials[0].clusters, readers) as watches, session.measuring():
            for trial in trials:
                watches.begin(trial.id)
                player = Player(session, trial.id, ways, contents, watches, index)
                async with session.trial(trial):
                    await self._trial(session, trial, player)
                    async with session.step("clean", trial.id):
                        await _remove(session, trial, ways, player, watches, kinds)

    async def _trial(self, session: Session, trial: PlannedTrial, player: Player) -> None:
        spec: Play = session.spec
        async with AsyncExitStack() as stack, session.disturbed(trial):
            watchers = {
                wec: await stack.enter_async_context(
                    Watchers(session.spaces.wecs[wec], session.names.namespace, spec.watchers)
                )
                for wec in trial.clusters
                if spec.watchers
            }
            async with session.step("load", trial.id, measured=True):
                await player.play(spec.steps)
            for wec, one in watchers.items():
                labels = {"cluster": wec, "watches": str(spec.watchers)}
                session.measured("lines that watchers received", one.lines, "1", trial=trial.id, **labels)
                session.measured("watches that ended", one.ended, "1", trial=trial.id, **labels)


async def _remove(  # noqa: PLR0917 - all that a trial left
    session: Session,
    trial: PlannedTrial,
    ways: Sequence[Route],
    player: Player,
    watches: Watches,
    kinds: Sequence[Resource],
) -> None:
    """What is left of a trial: at its sources by name, or in its WECs by label."""

    async def one(item: Item) -> None:
        with suppress(NotFound):
            await item.route.client.delete(item.write.resource, item.write.name, item.write.namespace)

    direct = [way for way in ways if way.policy is None]
    await each(direct, lambda way: sweep(session, trial.id, way.client, kinds))
    left = [item for items in player.groups.values() for item in items if item.alive and item.route.policy is not None]
    await each(left, one, at_once=AT_ONCE)
    for kind in dict.fromkeys([resources.PODS, *kinds]):
        created = watches.count(kind, "created")
        if not await watches.reached(kind, "deleted", created, timeout=session.spec.timeouts.clean):
            said = f"{created - watches.count(kind, 'deleted')} of {created} {kind} of the trial are still there"
            session.recorder.anomaly("left-behind", said, trial=trial.id)


def _contents(spec: Play) -> dict[str, Content]:
    """Of each group. SpecError for a profile that cannot be used."""
    return {step.name or "": content_of(step.create) for step in creations(spec.steps) if step.create is not None}


EXPERIMENT = PlayExperiment()
