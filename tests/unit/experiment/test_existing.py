"""A whole run over clusters that exist already: their kubeconfigs by the official client, over fake API servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fleet.errors import UsageError
from fleet.experiment.access import REVIEWS
from fleet.experiment.runner import plan
from fleet.experiments.registry import MODELS
from fleet.model.fleet_file import FleetFile
from fleet.results import events
from fleet.results.folder import RunFolder
from tests.unit.experiment.stand_in import StandInFleet
from tests.unit.experiment.test_points import SHORT, built
from tests.unit.experiment.test_runner import faults, impatient, lines


@pytest.fixture
async def theirs(state: Path) -> AsyncIterator[StandInFleet]:
    async with StandInFleet(state, 2) as stand_in:
        yield stand_in


def taken(fleet: StandInFleet) -> FleetFile:
    """The file of a fleet that takes those clusters."""
    file = fleet.file()
    clusters = [cluster.model_copy(update={"driver": "existing"}) for cluster in file.clusters]
    return file.model_copy(update={"clusters": clusters, "components": []})


async def test_a_run_asks_for_its_rights_and_leaves_nothing(theirs: StandInFleet) -> None:
    chosen = MODELS["wec-scaling"].model_validate(
        {**SHORT, "experiment": "wec-scaling", "wecs": [2], "layouts": ["one-to-many"]}
    )
    for server in theirs.servers:
        server.denied = {("get", "secrets")}  # not an administrator: each right is requested
    outcome = await built(taken(theirs), theirs, chosen, None).run()
    assert faults(outcome) == []
    verdict = RunFolder.open(outcome.folder).read_run()
    assert verdict.status == "valid" or outcome.reasons, verdict.reasons
    assert [line for line in lines(outcome) if isinstance(line, events.Sent)]
    for server in theirs.servers:
        reviews = [seen for seen in server.requests if seen.path.endswith(REVIEWS.plural)]
        assert len(reviews) > 5
        assert not [seen for seen in server.requests if seen.path.endswith("/secrets")]
        assert not [seen for seen in server.requests if seen.code == 401]


async def test_a_missing_right_ends_it_before_a_folder_is_made(theirs: StandInFleet) -> None:
    chosen = MODELS["wec-scaling"].model_validate({**SHORT, "experiment": "wec-scaling", "wecs": [2]})
    theirs.servers[-1].denied = {("create", "namespaces")}
    with pytest.raises(UsageError, match=r"wec002 \(wec\): may not create namespaces"):
        await built(taken(theirs), theirs, chosen, None).run()
    assert not [seen for server in theirs.servers for seen in server.requests if seen.path.endswith("/namespaces")]


async def test_what_would_change_their_hub_is_refused(theirs: StandInFleet) -> None:
    chosen = MODELS["client-limits"].model_validate({**SHORT, "experiment": "client-limits"})
    with pytest.raises(UsageError, match="this fleet's clusters exist without it"):
        plan(taken(theirs), impatient(chosen), chosen)
