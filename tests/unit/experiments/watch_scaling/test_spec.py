"""Which series a file of watch-scaling requests, what is refused, and what the client is ordered to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleet.errors import SpecError, UsageError
from fleet.experiment.load_client import credentials
from fleet.experiments import registry
from fleet.experiments.watch_scaling.experiment import EXPERIMENT, WatchScalingExperiment
from fleet.experiments.watch_scaling.orders import Target, watch_order
from fleet.experiments.watch_scaling.spec import Series, WatchScaling, series_of
from fleet.managers.none.manager import MANAGER
from fleet.model.fleet_file import Cluster, Component, FleetFile, Machine


def spec(**fields: Any) -> WatchScaling:
    return WatchScaling.model_validate({"experiment": "watch-scaling", **fields})


def fleet(folder: Path, *, nodes: int = 3, wecs: int = 1, driver: str = "process") -> FleetFile:
    clusters = [
        Cluster(name=f"wec00{n}", role="wec", machine="local", driver=driver, server="https://127.0.0.1:1",
                kubeconfig=str(folder / "kubeconfig"))
        for n in range(1, wecs + 1)
    ]  # fmt: skip
    api = Component(program="kube-apiserver.wec001", component="kube-apiserver", machine="local", cluster="wec001")
    shared = Component(program="dense.0", component="dense", machine="local")
    return FleetFile(
        name="test", created="2026-01-01T00:00:00Z", toolchain_digest="none", clusters=clusters, wec_nodes=nodes,
        machines=[Machine(name="local", state_dir=str(folder))],
        components=[shared if driver == "dense" else api],
    )  # fmt: skip


def test_it_is_found_by_its_folder() -> None:
    assert registry.EXPERIMENTS["watch-scaling"] is EXPERIMENT


def test_steps_grow_by_the_factor_and_end_at_the_most() -> None:
    assert spec(first=100, factor=1.5, most=400).steps() == [100, 150, 225, 338, 400]
    assert spec(first=1, factor=1.1, most=4).steps() == [1, 2, 3, 4]
    assert spec(first=7, most=7).steps() == [7]


def test_ceilings_come_first_and_one_is_for_all_selectors() -> None:
    found = series_of(spec(per_connection=[1, 100], rates=[1, 10], selectors=["all", "name"]))
    ceilings = [one for one in found if one.server == "stream"]
    assert found[: len(ceilings)] == ceilings
    assert len(ceilings) == 2 * 2 + 2  # HTTP/1.1 has one way to share a connection
    assert len(found) == len(ceilings) * 3
    assert len({one.point for one in found}) == len(found)
    assert {one.shape for one in found} == {one.shape for one in ceilings}
    assert not [one for one in series_of(spec(ceiling=False)) if one.server == "stream"]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("protocols=[spdy]", "protocols.0: must be 'http/2' or 'http/1.1', not 'spdy'"),
        ("per_connection=[101]", "per_connection.0: should be less than or equal to 100, not 101"),
        ("rates=[0]", "rates.0: should be greater than 0, not 0"),
        ("selectors=[all, all]", "selectors: each value once"),
        ("most=10", "most: 10 watches are fewer than the first step's (100)"),
        ("factor=1.0", "factor: should be greater than 1, not 1.0"),
    ],
)
def test_bad_input_is_refused(tmp_path: Path, field: str, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("experiment: watch-scaling\n")
    with pytest.raises((SpecError, UsageError)) as caught:
        registry.load(file, sets=[field])
    assert caught.value.exit_code == 2
    assert said in str(caught.value)


def test_fleets_on_which_it_cannot_be_done_are_refused(tmp_path: Path) -> None:
    def refused(chosen: FleetFile, **fields: Any) -> str:
        with pytest.raises((SpecError, UsageError)) as caught:
            EXPERIMENT.plan(spec(**fields), chosen, MANAGER)
        return str(caught.value)

    assert "`node` needs 2 nodes or more, and each WEC has 1: fleet up -e wec_nodes=10" in refused(
        fleet(tmp_path, nodes=1)
    )
    assert "shares a process with other WECs" in refused(fleet(tmp_path, wecs=2, driver="dense"))
    assert "must run on this machine" in refused(fleet(tmp_path, driver="existing"))
    assert "has no WEC" in refused(fleet(tmp_path, wecs=0))
    assert len(EXPERIMENT.plan(spec(repeats=2), fleet(tmp_path), MANAGER)) == 2 * (2 + 4)


async def test_a_client_that_is_not_built_is_said_before_anything_is_made() -> None:
    def missing() -> Path:
        raise UsageError("not built yet")

    with pytest.raises(UsageError, match="not built yet"):
        await WatchScalingExperiment(missing).admit(spec(), None, None, [])  # type: ignore[arg-type]


def test_an_order_says_which_selector_tells_of_each_object() -> None:
    target = Target({"name": "wec001"}, "/api/v1/pods", ["a", "b", "c"], ["n1", "n2", "n1"])

    def groups(selector: Any) -> tuple[list[str], list[int]]:
        order = watch_order(spec(), Series("api", "http/2", 100, 10.0, selector), target)
        return order["selectors"], [one["group"] for one in order["objects"]]

    assert groups("all") == ([""], [0, 0, 0])
    assert groups("node") == (["spec.nodeName=n1", "spec.nodeName=n2"], [0, 1, 0])
    assert groups("name") == (["metadata.name=a", "metadata.name=b", "metadata.name=c"], [0, 1, 2])


def test_credentials_lie_in_private_files(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "kind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: c}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', certificate-authority-data: Y2E=}}]\n"
        "users: [{name: c, user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}}]\n"
    )
    kubeconfig.chmod(0o600)
    folder = tmp_path / "files"
    folder.mkdir()
    found = credentials(fleet(tmp_path).wecs()[0], folder)
    assert found["server"] == "https://127.0.0.1:1"
    assert {name: Path(found[name]).read_text() for name in ("ca", "cert", "key")} == {
        "ca": "ca", "cert": "cert", "key": "key"
    }  # fmt: skip
    assert {Path(found[name]).stat().st_mode & 0o777 for name in ("ca", "cert", "key")} == {0o600}
