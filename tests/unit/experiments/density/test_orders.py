"""Orders have exactly the fields that the Go load client reads: it refuses any other."""

from __future__ import annotations

import re
from pathlib import Path

from fleet.experiments.density.file import DensityFile
from fleet.experiments.density.orders import bootstrap_order, load_order, load_seconds
from fleet.experiments.density.targets.target import Access

MODULE = Path(__file__).resolve().parents[4] / "toolchain" / "load"
SPEC = DensityFile.model_validate(
    {"experiment": "density", "traffic": {"limiter": {"qps": 5.0, "burst": 10}}, "phases": {"load_duration": "2m"}}
)
ACCESS = Access("wec001", "https://127.0.0.1:1", Path("/ca"), Path("/cert"), Path("/key"))


def fields(file: str, struct: str) -> set[str]:
    """The JSON names of a Go struct."""
    text = (MODULE / file).read_text(encoding="utf-8")
    found = re.search(rf"^type {struct} struct {{\n(.*?)^}}", text, re.MULTILINE | re.DOTALL)
    assert found, f"{file}: no struct {struct}"
    return set(re.findall(r'json:"(\w+)', found[1]))


def test_fields() -> None:
    load = load_order(SPEC, [ACCESS], Path("/raw"))
    assert set(load) == fields("traffic/order.go", "Order")
    assert set(load["limiter"]) == fields("cluster/cluster.go", "Limiter")
    assert set(bootstrap_order(SPEC, [ACCESS])) == fields("bootstrap/bootstrap.go", "Order")
    token = Access("a", "https://127.0.0.1:1", Path("/ca"), token_file=Path("/token"))
    assert set(ACCESS.order()) | set(token.order()) == fields("cluster/cluster.go", "Cluster")


def test_a_load_may_take_its_rungs_and_what_is_under_way_at_their_ends() -> None:
    assert load_seconds(SPEC) == (120 + 30) * 2 + 60
