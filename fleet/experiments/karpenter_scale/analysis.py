"""What a run of karpenter-scale found: both phases of each scenario, every phase of pods and NodeClaims, decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fleet.analysis.agent_table import agent_table
from fleet.analysis.findings import Findings, by_stages
from fleet.analysis.phase_table import phase_table
from fleet.analysis.program_table import program_table
from fleet.analysis.recorded import Recorded
from fleet.analysis.request_table import API_SERVER_REQUESTS, asked, request_table
from fleet.experiments.karpenter_scale import marks, series
from fleet.experiments.karpenter_scale.decisions import decision_table, own_table
from fleet.experiments.karpenter_scale.outcome import (
    Judged,
    Outcome,
    assertion_table,
    change_table,
    judged,
    outcome_table,
    outcomes,
    phase_samples,
)
from fleet.model.fleet_file import FleetFile
from fleet.results.run import RunRecord

PARTS: Mapping[str, Sequence[str]] = {
    "creation": [stage.name for stage in marks.CREATION],
    "scheduling": [stage.name for stage in marks.SCHEDULING],
    "simulated": [stage.name for stage in marks.SIMULATED],
    "monitoring": [stage.name for stage in marks.MONITORING],
    "cleaning": [stage.name for stage in marks.CLEANING],
}
"""Tables of phases, each with its stages."""
MAKER, RATE, BURST = "kube-controller-manager", "--kube-api-qps=", "--kube-api-burst="
"""What makes the pods of Deployments, and the flags of its client limit."""
OWN_RATE, OWN_BURST = "20", "30"
"""Upstream's defaults of it."""


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as every experiment's
    """By its stages, both phases of each trial, and its tables."""
    found = by_stages(run, recorded)
    share = float(run.spec.own("share") or 1.0)
    trials = Counter(plan.point for plan in recorded.trials if plan.repeat >= 0)
    done = outcomes(recorded, share)
    samples = [*found.samples, *phase_samples(done)]
    pods = max((one.scenario.pods for one in done), default=1)
    limits = judged(done)
    tables = [
        outcome_table(done),
        change_table(done),
        assertion_table(limits, whole=share == 1.0),
        *(phase_table(samples, run.stages, chosen, name) for name, chosen in PARTS.items()),
        own_table(recorded, samples),
        decision_table(recorded, trials),
        request_table(asked(recorded, (API_SERVER_REQUESTS, series.CLIENT, series.ANSWERS)), pods, trials),
        agent_table(recorded, pods, trials),
        program_table(recorded, pods),
    ]
    wanted = bool(run.spec.own("assertions")) and share == 1.0
    names = dict.fromkeys((*found.stages, *(phase.stage for one in done for phase in one.phases)))
    return replace(
        found,
        samples=samples,
        stages=[*names],
        tables=[table for table in tables if table.rows],
        assertions=[one.assertion for one in limits] if wanted else [],
        said=[*_said(done), *_of_limits(limits, share), *_of_maker(run.fleet, done)],
    )


def _said(found: Sequence[Outcome]) -> Iterator[str]:
    for one in found:
        first, second, name = one.scale_out, one.change, one.scenario.name
        if first.seconds is None or first.level is None:
            yield f"{name}: not all of {one.scenario.pods} pods ran"
            continue
        full = f"CPU {first.level.node_cpu:.0%} and memory {first.level.node_memory:.0%} reserved on a mean node"
        yield f"{name}: {one.scenario.pods} pods ran after {first.seconds:.1f} s on {first.level.nodes} nodes, {full}"
        if second is None or second.seconds is None or second.level is None:
            yield f"{name}: its {one.scenario.change} did not come to an end"
            continue
        yield (
            f"{name}: {one.scenario.change} to {one.scenario.left} pods was over after {second.seconds:.1f} s, with"
            f" {second.level.nodes} nodes (CPU {second.level.node_cpu:.0%}, memory {second.level.node_memory:.0%});"
            f" {one.removed} NodeClaims went, {one.added} came, {one.evicted} pods moved"
        )


def _of_limits(found: Sequence[Judged], share: float) -> Iterator[str]:
    if found and share != 1.0:
        yield f"Upstream's assertions were not judged: this run had {share:g} of its pods"
    elif found:
        broken = [f"{one.phase.stage} {one.what} {one.value}" for one in found if not one.holds]
        text = f"{len(found) - len(broken)} of {len(found)} of upstream's assertions hold"
        yield f"{text}; those that do not: {', '.join(broken)}" if broken else text


def _of_maker(fleet: FleetFile, found: Sequence[Outcome]) -> Iterator[str]:
    """How much of the first phase was the making of pods, which is not Karpenter's."""
    made = [one for one in found if one.made_seconds is not None]
    if not made:
        return
    argv = [word for one in fleet.components if one.component == MAKER for word in one.argv]
    rate, burst = (
        next((word.removeprefix(flag) for word in reversed(argv) if word.startswith(flag)), default)
        for flag, default in ((RATE, OWN_RATE), (BURST, OWN_BURST))
    )
    slowest = max(made, key=lambda one: one.made_seconds or 0.0)
    yield (
        f"{MAKER} makes the pods of Deployments, at {rate} requests per second (burst {burst}): the last of"
        f" {slowest.scenario.pods} was there {slowest.made_seconds:.1f} s after the first phase began, and no"
        " scale-out is faster than that"
    )
