"""The experiment `lifecycle`: each object is created, changed and deleted, with quiet between."""

from __future__ import annotations

from fleet.experiment import steps
from fleet.experiment.distribution import Distribution
from fleet.experiments.lifecycle.marks import STAGES
from fleet.experiments.lifecycle.spec import Lifecycle, points
from fleet.experiments.lifecycle.steps import Change, Remove

EXPERIMENT = Distribution(
    "lifecycle",
    Lifecycle,
    points,
    # Quiet between, so that no change rides on what is still under way for the one before.
    measure=(steps.Load(), steps.Drain(), steps.Quieten(), Change(), steps.Quieten(), Remove()),
    own_stages=STAGES,
)
