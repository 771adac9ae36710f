"""ui-load: its trials in their order, and what is refused before anything changes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fleet.errors import UsageError
from fleet.experiment.runner import plan
from fleet.experiments.ui_load.experiment import EXPERIMENT
from fleet.experiments.ui_load.spec import UiLoad
from fleet.model.fleet_file import FleetFile
from tests.unit.experiment.plain_fleets import PlainFleet

SERVER = "#!/bin/sh\necho 'Usage: -kubeconfig -port -listen-addr -base-url -html-static-dir -plugins-dir' >&2\nexit 2\n"


def spec(**fields: Any) -> UiLoad:
    return UiLoad.model_validate({"experiment": "ui-load", "clients": ["node"], **fields})


def file(folder: Path) -> FleetFile:
    return PlainFleet(folder, 2).file().model_copy(update={"wec_nodes": 10})


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PATH with programs of the names that clients have."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("node", "chromium"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_objects_only_grow_and_each_page_is_shown_in_every_client(tmp_path: Path, programs: Path) -> None:  # noqa: ARG001
    chosen = spec(objects=[100, 10], pages=["pods", "overview"], clients=["node", "chromium"], repeats=2)
    trials = plan(file(tmp_path), EXPERIMENT, chosen)
    assert [trial.objects for trial in trials] == [10] * 8 + [100] * 8
    assert [trial.client for trial in trials] == ["node", "chromium"] * 8
    assert trials[0].point == "objects=10 page=pods client=node"
    assert trials[0].clusters == ("wec001", "wec002")


def test_more_pods_than_nodes_have_places_for_are_refused_with_the_numbers(tmp_path: Path, programs: Path) -> None:  # noqa: ARG001
    with pytest.raises(UsageError, match=r"2190 pods and 30 .* the 2200 places of 20 .*wec_nodes=11"):
        plan(file(tmp_path), EXPERIMENT, spec(objects=[2190]))


def test_a_client_that_is_not_there_is_named_with_its_package(tmp_path: Path, programs: Path) -> None:
    (programs / "chromium").unlink()
    with pytest.raises(UsageError, match=r"a browser is needed .*apt-get install chromium"):
        plan(file(tmp_path), EXPERIMENT, spec(objects=[10], clients=["chromium"]))
    assert plan(file(tmp_path), EXPERIMENT, spec(objects=[10]))


def test_a_headlamp_server_is_taken_and_another_file_refused(
    tmp_path: Path,
    programs: Path,
) -> None:
    program = tmp_path / "headlamp-server"
    program.write_text(SERVER)
    program.chmod(0o755)
    sha256 = hashlib.sha256(SERVER.encode()).hexdigest()
    given = {"objects": [10], "binary": str(program)}
    assert plan(file(tmp_path), EXPERIMENT, spec(**given, sha256=sha256))
    with pytest.raises(UsageError, match=f"sha256: that of {program} is {sha256}, not 0000"):
        plan(file(tmp_path), EXPERIMENT, spec(**given, sha256="0" * 64))
    other = programs / "node"
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    with pytest.raises(UsageError, match=r"is no headlamp-server: its help names no flag -kubeconfig"):
        plan(file(tmp_path), EXPERIMENT, spec(objects=[10], binary=str(other), sha256=digest))
    with pytest.raises(UsageError, match="no absolute path of an executable file"):
        plan(file(tmp_path), EXPERIMENT, spec(objects=[10], binary="headlamp-server", sha256=digest))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"objects": [10, 10]}, "each value once"),
        ({"objects": []}, "objects"),
        ({"pages": ["home"]}, "pages.0"),
        ({"clients": ["firefox"]}, "clients.0"),
        ({"binary": "/bin/true"}, "binary and sha256 belong together"),
        ({"rates": {"pods": 1}}, "rates.pods"),
    ],
)
def test_bad_input_names_the_field(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        spec(**fields)
