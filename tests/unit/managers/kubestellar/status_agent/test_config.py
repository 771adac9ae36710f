"""The configuration file: what is taken and what is refused, with which message."""

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import SpecError
from fleet.managers.kubestellar.status_agent.config import Limits, load_config


def write(folder: Path, document: object, mode: int = 0o600) -> Path:
    path = folder / "agent.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    path.chmod(mode)
    return path


def document(**changes: Any) -> dict[str, Any]:
    return {"hub_kubeconfig": "hub.kubeconfig", "wecs": [{"name": "wec001", "kubeconfig": "w/1"}]} | changes


def test_defaults_are_those_of_the_addon_and_paths_count_from_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, document(log="x.jsonl")))
    assert config.limits == Limits(hub_qps=5, hub_burst=10, local_qps=5, local_burst=10)
    assert config.parity is False
    assert config.metrics_address is None
    assert config.hub_kubeconfig == tmp_path / "hub.kubeconfig"
    assert config.wecs[0].kubeconfig == tmp_path / "w/1"
    assert config.log == tmp_path / "x.jsonl"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, document(hub_kubeconfig="/a/b"))).hub_kubeconfig == Path("/a/b")


def test_a_file_open_to_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"mode 0640 lets others in; run chmod 0600"):
        load_config(write(tmp_path, document(), 0o640))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        load_config(tmp_path / "none.json")


def test_a_file_that_is_no_json_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_config(write(tmp_path, '{\n"a": }'))
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hub_qps": -1}, "hub_qps"),
        ({"hub_burst": 0}, "hub_burst"),
        ({"unknown": 1}, "unknown"),
        ({"wecs": [{"name": "Wec_1", "kubeconfig": "x"}]}, "wecs.0.name"),
        ({"wecs": [{"name": "a", "kubeconfig": "x"}, {"name": "a", "kubeconfig": "y"}]}, "wecs"),
        ({"metrics_address": "0.0.0.0:9000"}, "metrics_address"),
        ({"hub_kubeconfig": None}, "hub_kubeconfig"),
    ],
)
def test_wrong_fields_are_named(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_config(write(tmp_path, document(**changes)))
    assert caught.value.field == field


def test_a_port_beyond_65535_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="at most 65535"):
        load_config(write(tmp_path, document(metrics_address="127.0.0.1:70000")))
