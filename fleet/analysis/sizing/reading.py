"""A run folder made into observations; a run that cannot be used says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.analysis.recorded import Recorded, record
from fleet.analysis.sizing.loaded import loads
from fleet.analysis.sizing.observation import Observation, Setup, observed
from fleet.analysis.sizing.planes import sequences
from fleet.analysis.sizing.quantity import LATENCIES
from fleet.analysis.sizing.rest import first_look, rest_values
from fleet.results.folder import RunFolder
from fleet.results.run import RunRecord


@dataclass(frozen=True)
class Read:
    """What one run gave."""

    observations: tuple[Observation, ...] = ()
    why_not: str = ""
    """Empty when it was used."""


def read(folder: RunFolder) -> Read:
    """Read run.json and events.jsonl. UsageError when one is missing or of a newer format.

    Only a valid run is used, and none whose fleet was disturbed on purpose or whose machines the driver cannot measure.
    """
    run = folder.read_run()
    if run.status != "valid":
        return Read(why_not=f"it is {run.status}")
    if run.spec.during:
        return Read(why_not="its fleet was disturbed (during)")
    if run.fleet.wecs() and not all(cluster.built for cluster in run.fleet.clusters):
        return Read(why_not="its clusters were not built by it")
    recorded = record(
        folder.events(run.format), run.manager, source=run.source, object_timeout=run.spec.timeouts.object
    )
    found = tuple(_observations(run, recorded))
    return Read(found) if found else Read(why_not="it measured no fleet at rest and has no closed load without points")


def _observations(run: RunRecord, recorded: Recorded) -> Iterator[Observation]:
    alone = [observed(run, "density", count, values, setup=_alone(run)) for count, values in sequences(recorded)]
    if alone:
        yield from alone
        return
    wecs = len(run.fleet.wecs())
    weighed = list(rest_values(run, recorded).values())
    for number, values in enumerate(weighed):
        yield observed(run, "rest", wecs, {**values, **(_built(run) if number == 0 else {})})
    if not weighed and (seen := first_look(run, recorded)):
        yield observed(run, "rest", wecs, {**seen, **_built(run)})
    limits = {name: float(value) for name, value in run.fleet.limits.items()}
    changed = any(plan.limits for plan in recorded.trials)
    for (layout, loaded, objects), values in () if changed else loads(recorded, recorded.join.samples()):
        # What programs take is of the whole fleet: of a load on a part of it only the latencies are of that part.
        kept = {name: value for name, value in values.items() if loaded == wecs or name in LATENCIES}
        yield observed(run, "load", loaded, kept, layout=layout, objects=objects, limits=limits)


def _built(run: RunRecord) -> dict[str, float]:
    """How long it took to build, where the fleet still has as many WECs."""
    built = run.fleet.bring_up
    if built is None or built.seconds is None or built.wecs != len(run.fleet.wecs()):
        return {}
    return {"build_seconds": built.seconds}


def _alone(run: RunRecord) -> Setup:
    """Of control planes that an experiment has started itself."""
    extra = run.spec.model_extra or {}
    kind = str(extra.get("plane", "full"))
    driver = str(extra.get("target", ""))
    return Setup(driver=driver if kind == "full" else f"{driver} ({kind})")
