"""The experiments that there are, by the word in a file, and loading one of their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fleet.errors import UsageError
from fleet.experiment.definition import Experiment
from fleet.experiments import (
    client_limits,
    link_latency,
    long_run,
    policy_scaling,
    wds_scaling,
    wec_scaling,
    workload_size,
)
from fleet.managers import registry
from fleet.model import experiment_load
from fleet.model.by_folder import ByFolder
from fleet.model.experiment_file import ExperimentFile, RecordedExperiment
from fleet.model.model_errors import nearest

OWN_BODIES = ByFolder("fleet.experiments", "experiment", "EXPERIMENT", "experiment")
"""Experiments with a body of their own: packages here with a module `experiment`. To write one is to register it."""

_FOUND: Sequence[Experiment] = (
    *(
        module.EXPERIMENT
        for module in (
            wec_scaling,
            policy_scaling,
            workload_size,
            client_limits,
            link_latency,
            wds_scaling,
            long_run,
        )
    ),
    *(OWN_BODIES.load(name) for name in OWN_BODIES.names()),
)
"""To add one that distributes a workload, write its module and add it here."""

EXPERIMENTS: Mapping[str, Experiment] = {experiment.name: experiment for experiment in _FOUND}

MODELS: Mapping[str, type[ExperimentFile]] = {name: experiment.file for name, experiment in EXPERIMENTS.items()}


def of(spec: ExperimentFile) -> Experiment:
    """The experiment that a spec is of."""
    return EXPERIMENTS[spec.experiment]


def load(
    file: Path, *, sets: Sequence[str] = (), flags: Mapping[str, Any] | None = None, quick: bool = False
) -> ExperimentFile:
    """The experiment of `file` with its overrides; see `fleet.model.experiment_load.load`."""
    return experiment_load.load(file, MODELS, sets=sets, flags=flags, quick=quick)


def recorded(spec: RecordedExperiment) -> ExperimentFile:
    """The experiment of a run, to be run again. UsageError when this program does not know it."""
    model = MODELS.get(spec.experiment)
    if model is None:
        raise UsageError(f"this program has no experiment {spec.experiment!r}{nearest(spec.experiment, MODELS)}")
    return model.model_validate(spec.model_dump(exclude_unset=True))


def able(experiment: Experiment) -> dict[str, str]:
    """Every manager by name, with why the experiment cannot be done under it; empty where it can."""
    return {name: experiment.cannot(registry.load(name)) for name in registry.names()}
