"""Which sequences a run of density has, and what is refused before anything starts."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import CapacityError, SpecError, ToolchainError
from fleet.experiments import registry
from fleet.experiments.density.experiment import EXPERIMENT, Density
from fleet.experiments.density.file import DensityFile
from fleet.experiments.density.targets.ours import Ours
from fleet.experiments.density.targets.place import ports_taken
from fleet.experiments.density.targets.target import Ground
from fleet.host.program_folders import ProgramFolders
from fleet.managers.manager import Spaces
from fleet.managers.none.manager import MANAGER
from fleet.model.fleet_file import FleetFile
from fleet.model.fleet_file import Machine as FleetMachine


class Programs:
    """No program: nothing may start."""

    def program(self, name: str) -> Path:
        """Refuses."""
        raise ToolchainError(name)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for that of a unix socket."""
    with tempfile.TemporaryDirectory(prefix="fd-") as folder:
        yield Path(folder)


def test_everything_that_stands_against_a_run_is_said_at_once_and_nothing_is_made(short: Path) -> None:
    kplane = {"binary": str(short / "none"), "sha256": "0" * 64}
    wanted = spec(target="kplane", kplane=kplane, clusters=[0, 1, 2, 10_000_000])
    machine = FleetMachine(name="local", state_dir=str(short / "state" / "l"))
    fleet = FleetFile.model_construct(**{**NOTHING, "machines": [machine]})
    experiment = Density(lambda _: Programs())  # type: ignore[arg-type,return-value]
    with pytest.raises(CapacityError) as error:
        asyncio.run(experiment.admit(wanted, fleet, Spaces({}, {}, {}), []))
    first, *reasons = str(error.value).splitlines()
    assert first == "density cannot be run here; nothing was started:"
    assert [reason.partition(":")[0] for reason in reasons] == [
        "- kplane.binary",
        "- plane",
        "- memory for 10000000 virtual control planes",
    ]
    assert error.value.exit_code == 2
    assert list(short.iterdir()) == []


NOTHING: dict[str, Any] = dict.fromkeys(("name", "created", "toolchain_digest", "machines", "clusters"))


def spec(**fields: Any) -> DensityFile:
    return DensityFile.model_validate({"experiment": "density", **fields})


def planned(**fields: Any) -> list[Any]:
    return EXPERIMENT.plan(spec(**fields), FleetFile.model_construct(**NOTHING), MANAGER)


def ground(root: Path, **fields: Any) -> Ground:
    return Ground(root / "l.density", spec(**fields), ProgramFolders((Path("/TOOLCHAIN"),), check=True))  # type: ignore[arg-type]


def test_it_is_found_by_its_folder() -> None:
    assert registry.EXPERIMENTS["density"] is EXPERIMENT


def test_each_round_has_every_count_once_in_an_order_of_its_own() -> None:
    made = planned(clusters=[0, 2, 4, 6], repeats=3, seed=4)
    rounds = [[trial.count for trial in made[start : start + 4]] for start in (0, 4, 8)]
    assert [sorted(one) for one in rounds] == [[0, 2, 4, 6]] * 3
    assert len({tuple(one) for one in rounds}) > 1
    assert rounds == [
        [t.count for t in planned(clusters=[0, 2, 4, 6], repeats=3, seed=4)[s : s + 4]] for s in (0, 4, 8)
    ]
    assert [trial.id for trial in made] == [f"t{number:03}" for number in range(12)]


def test_one_sequence_is_probed_and_shown() -> None:
    made = planned(clusters=[0, 2, 4, 6], repeats=2)
    assert [(t.count, t.repeat) for t in made if t.probed] == [(6, 0)]
    assert [(t.count, t.repeat) for t in made if t.shown] == [(6, 0)]
    assert not any(t.probed for t in planned(clusters=[0, 2, 4, 6], probes=False))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"target": "desne"}, "target: 'desne' is none of dense, kind, process, kwokctl, kplane; did you mean `dense`"),
        ({"profiles": {"enabled": True}}, "profiles.enabled: profiles are of the fleet's programs: write `snapshots`"),
    ],
)
def test_refused_by_name(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as error:
        planned(**fields)
    assert said in str(error.value)


def test_more_than_the_machine_holds_is_refused_with_both_numbers(tmp_path: Path) -> None:
    found = Ours(ground(tmp_path), "dense").refuse(100_000)
    assert any(line.startswith("memory for") and "GiB needed" in line and "lower clusters by" in line for line in found)


def test_a_port_that_somebody_has_is_refused_by_name(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (why,) = ports_taken(port, 1, tmp_path)
    assert why.startswith(f"first_port: 1 of the 1 ports {port} to {port} are taken, {port} by ")
    assert ports_taken(0, 5, tmp_path) == []


def test_kind_makes_no_bare_control_planes(tmp_path: Path) -> None:
    made = Ours(ground(tmp_path, target="process", plane="apiserver"), "kind")
    assert "plane: kind makes whole control planes only: write full" in made.refuse(1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"target": "process"}, "small at rest"),
        ({"target": "process", "as_shipped": True}, "each as upstream ships its programs"),
        ({"target": "dense"}, "share what never changes"),
        ({"target": "dense", "dense_sharing": False}, "each as upstream makes it"),
    ],
)
def test_a_run_says_in_what_its_planes_differ(fields: dict[str, Any], said: str, short: Path) -> None:
    target = Ours(ground(short, **fields), fields["target"])
    assert said in target.differs
    assert target.machine.options.sharing is fields.get("dense_sharing", True)
