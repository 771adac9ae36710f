"""One fleet that was measured, timed or loaded: what a model of sizes is fitted on, small enough to be shipped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from fleet.errors import SpecError
from fleet.model.base import Model
from fleet.model.fleet_file import FleetFile
from fleet.results.run import RunRecord

SHIPPED = Path(__file__).with_name("shipped.json")
"""Observations of this project's own runs (docs/how-to/sizing.md says which)."""
NAMED = frozenset({"control_plane_driver", "node_simulator", "manager", "platform", "wec_count", "wec_nodes"})
"""Variables that the setup has, or the number of WECs is."""

Source = Literal["rest", "load", "density"]
"""A fleet at rest, a trial of a load on one, or control planes alone in the sequence of the experiment density."""


class Setup(Model):
    """What is alike in all fleets that one line may go through."""

    driver: str
    simulator: str = "none"
    nodes: int = 0
    """In each WEC."""
    manager: str = "none"
    platform: str = ""
    """Names, joined by `,`; empty: none."""
    machines: int = 1

    def __str__(self) -> str:
        """For people."""
        played = f"{self.nodes} {self.simulator} nodes" if self.nodes else "no nodes"
        parts = [f"driver {self.driver}", played, f"manager {self.manager}"]
        parts += [f"platform {self.platform}"] if self.platform else []
        parts += [f"{self.machines} machines"] if self.machines > 1 else []
        return ", ".join(parts)


class Computer(Model):
    """The machine that was measured."""

    cpu_model: str = ""
    cores: int = 0
    memory_bytes: int = 0


class Observation(Model):
    """One point of every line that `values` has a quantity of (`fleet.analysis.sizing.quantity`)."""

    run: str
    """Id of its run."""
    fleet: str
    """Of one fleet are all with the same."""
    source: Source
    setup: Setup
    wecs: int
    """That were there, or were loaded."""
    layout: str = ""
    """Of a load, as the next."""
    objects: int = 0
    """Per policy."""
    limits: dict[str, float] = Field(default_factory=dict)
    variables: dict[str, Any] = Field(default_factory=dict)
    """Recorded variables that were not at their defaults; without client limits, and what the setup has."""
    toolchain: str = ""
    machine: Computer = Computer()
    values: dict[str, float]


class SizingData(Model):
    """A file of observations."""

    format: Literal[1] = 1
    observations: list[Observation]


def setup_of(fleet: FleetFile) -> Setup:
    """The setup of a fleet that was built."""
    drivers = sorted({cluster.driver for cluster in fleet.wecs()})
    platforms = fleet.variables.get("platform") or []
    nodes = fleet.wec_nodes if fleet.node_simulator != "none" else 0
    return Setup(
        driver=",".join(drivers),
        simulator=fleet.node_simulator if nodes else "none",
        nodes=nodes,
        manager=fleet.manager.name,
        platform=platforms if isinstance(platforms, str) else ",".join(platforms),
        machines=len(fleet.machines),
    )


def observed(run: RunRecord, source: Source, wecs: int, values: dict[str, float], **more: Any) -> Observation:
    """A point of that run; `more` are other fields of it."""
    fleet, machine = run.fleet, run.machine
    begun = fleet.bring_up.began if fleet.bring_up is not None else fleet.created
    known = {
        "run": run.id,
        "fleet": f"{fleet.name} {begun}",
        "source": source,
        "setup": setup_of(fleet),
        "wecs": wecs,
        "limits": {name: float(value) for name, value in fleet.limits.items()},
        "variables": changed_variables(fleet.variables, fleet.limits),
        "toolchain": short_digest(fleet.toolchain_digest),
        "machine": Computer(cpu_model=machine.cpu_model, cores=machine.cores, memory_bytes=machine.memory_bytes),
        "values": values,
    }
    return Observation.model_validate({**known, **more})


def short_digest(digest: str) -> str:
    """As an observation has it."""
    return digest.removeprefix("sha256:")[:16]


def changed_variables(values: dict[str, Any], limits: Iterable[str] = ()) -> dict[str, Any]:
    """Those that are not at their defaults; without client limits, and what the setup has."""
    from fleet.model.variables import defaults  # noqa: PLC0415 - a cold start of the command line must not pay for it

    usual, apart = defaults(), {*NAMED, *limits}
    return {n: v for n, v in sorted(values.items()) if n not in apart and n in usual and v != usual[n]}


def load(file: Path) -> list[Observation]:
    """SpecError for a file that holds no observations, or those of a newer release."""
    try:
        return list(SizingData.model_validate(json.loads(file.read_bytes())).observations)
    except OSError as error:
        raise SpecError(f"{error.strerror}; make it with `fleet plan --fit FOLDER`", file=file) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SpecError(f"{where}: {first['msg']}; make it again with `fleet plan --fit FOLDER`", file=file) from error
    except ValueError as error:
        raise SpecError("is not JSON; make it again with `fleet plan --fit FOLDER`", file=file) from error


def dump(observations: Sequence[Observation]) -> bytes:
    """The file of these, a line each, so that a diff shows which are new."""
    lines = ",\n".join(
        json.dumps(one.model_dump(mode="json", exclude_defaults=True), sort_keys=True) for one in observations
    )
    return f'{{"format": 1, "observations": [\n{lines}\n]}}\n'.encode()
