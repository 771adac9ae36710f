"""The pytest plugin and the command, with real control planes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.conftest import state_folder

pytestmark = pytest.mark.live
USER = """
import kubernetes

def _names(wec):
    core = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config(str(wec.kubeconfig)))
    return core, {item.metadata.name for item in core.list_namespaced_config_map(wec.namespace).items}

def test_first(fleet):
    wecs = fleet(wecs=2)
    assert [wec.name for wec in wecs] == ["wec001", "wec002"]
    for wec in wecs:
        core, _ = _names(wec)
        core.create_namespaced_config_map(wec.namespace, {"metadata": {"name": "left"}})
        assert "left" in _names(wec)[1]
        spec = {"containers": [{"name": "c", "image": "c"}]}
        core.create_namespaced_pod(wec.namespace, {"metadata": {"name": "one"}, "spec": spec})

def test_second_finds_nothing_of_the_first(fleet):
    (wec,) = fleet(wecs=1)
    assert "left" not in _names(wec)[1]
"""


def test_a_users_tests_get_clean_control_planes_that_are_gone_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "test_user.py").write_text(USER)
    with state_folder() as state:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "fleet.fixture.plugin", "--durations", "0", "."]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "FLEET_STATE_DIR": str(state), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert [path for path in state.iterdir() if path.is_dir()] == []


def test_who_holds_them_is_killed_and_the_next_ends_them() -> None:
    with state_folder() as state:
        hold = [sys.executable, "-m", "fleet", "fixture", "hold", "--name", "held", "--wecs", "1"]
        environment = {**os.environ, "FLEET_STATE_DIR": str(state)}
        with subprocess.Popen(hold, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            text = b""
            while not text.endswith(b"\n}\n"):
                line = process.stdout.readline()
                assert line, text
                text += line
            (item,) = json.loads(text)["items"]
            assert Path(item["kubeconfig"]).stat().st_mode & 0o777 == 0o600
            process.kill()
        assert (state / "held").exists()
        down = [sys.executable, "-m", "fleet", "fixture", "down", "--name", "held"]
        subprocess.run(down, env=environment, check=True, timeout=120)
        assert not (state / "held").exists()


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
def test_the_go_package() -> None:
    folder = Path(__file__).resolve().parents[2] / "fleettest"
    with state_folder() as state:
        environment = {
            **os.environ,
            "FLEET_STATE_DIR": str(state),
            "FLEET_COMMAND": f"{sys.executable} -m fleet",
            "GOFLAGS": "-mod=readonly",
            "GOWORK": "off",
            "GOTOOLCHAIN": "local",
        }
        done = subprocess.run(
            ["go", "test", "-v", "-count=1", "./..."],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert [path for path in state.iterdir() if path.is_dir()] == []
