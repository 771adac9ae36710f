"""kplane's API server: what is refused, and the whole adapter against a program that answers its paths."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from fleet.errors import ToolchainError
from fleet.experiments.density.file import DensityFile, Kplane
from fleet.experiments.density.targets.kplane import FLAGS, KplaneServer, check_binary
from fleet.experiments.density.targets.target import Ground
from fleet.experiments.density.weights import weigh

REPO = Path(__file__).resolve().parents[4]


def program(path: Path, text: str) -> Kplane:
    path.write_text(text, encoding="utf-8")
    path.chmod(stat.S_IRWXU)
    return Kplane(binary=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


class Programs:
    """An etcd that does nothing but stay: the stand-in needs no store."""

    def __init__(self, folder: Path) -> None:
        self.etcd = folder / "etcd"
        program(self.etcd, "#!/bin/sh\nexec sleep 600\n")

    def program(self, name: str) -> Path:
        """The one there is."""
        if name != "etcd":
            raise ToolchainError(name)
        return self.etcd


@pytest.fixture
def server(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KplaneServer]:
    text = f'#!/bin/sh\nPYTHONPATH={REPO} exec {sys.executable} -m fleet.testing.kplane_server "$@"\n'
    given = program(tmp_path / "kplane-apiserver", text)
    spec = DensityFile.model_validate(
        {"experiment": "density", "target": "kplane", "plane": "apiserver", "kplane": given.model_dump()}
    )
    # A short path: unix sockets lie below it.
    root = tmp_path_factory.mktemp("k") / "l.density"
    made = KplaneServer(Ground(root, spec, Programs(tmp_path)))  # type: ignore[arg-type]
    yield made
    made.down()
    assert not root.exists()


def test_its_own_file_is_taken(server: KplaneServer) -> None:
    assert server.refuse(12) == []


def test_what_is_refused(tmp_path: Path) -> None:
    assert check_binary(Kplane(binary=str(tmp_path / "none"), sha256="0" * 64)) == [
        f"kplane.binary: {tmp_path / 'none'} is no absolute path of an executable file"
    ]
    other = program(tmp_path / "other", "#!/bin/sh\necho ran >> \"$0.ran\"\necho '  --etcd-servers strings'\n")
    wrong = check_binary(other.model_copy(update={"sha256": "0" * 64}))
    assert wrong == [f"kplane.sha256: that of {tmp_path / 'other'} is {other.sha256}, not {'0' * 64}"]
    assert not (tmp_path / "other.ran").exists()  # what is not the file that was meant is not run
    (no,) = check_binary(other)
    assert f"{len(FLAGS) - 1} of {len(FLAGS)} flags are missing: --etcd-prefix" in no


def test_more_than_the_machine_has_is_refused_with_numbers(server: KplaneServer) -> None:
    (why,) = server.refuse(10_000_000)
    assert why.startswith("memory for 10000000 virtual control planes: ")
    assert "GiB needed" in why


def test_a_virtual_control_plane_is_made_by_its_first_request(server: KplaneServer) -> None:
    server.launch(2)
    access = server.create(2)
    assert [one.server.rpartition("/clusters/")[2] for one in access] == [
        "wec001/control-plane",
        "wec002/control-plane",
    ]
    assert all(one.cert is None and one.token_file is not None for one in access)

    async def default_namespaces() -> list[int]:
        found = []
        for one in access:
            endpoint = one.endpoint()
            headers = {"Authorization": f"Bearer {endpoint.token}"}
            async with aiohttp.ClientSession(headers=headers) as session:
                path = f"{endpoint.server}/api/v1/namespaces/default"
                async with session.get(path, ssl=endpoint.ssl_context or False) as answer:
                    found.append(answer.status)
        return found

    assert asyncio.run(default_namespaces()) == [200, 200]
    weighed = {one.running.program: one for one in weigh(server.running())}
    assert set(weighed) == {"kplane", "etcd.kplane"}
    assert (weighed["kplane"].values["live_heap"], weighed["kplane"].values["goroutines"]) == (1000, 5)
    assert weighed["kplane"].values["pss"] > 0
    token = access[0].token_file
    assert token is not None
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert token.read_text(encoding="utf-8") not in json.dumps(
        [psutil_words(one.running.pid) for one in weighed.values()]
    )


def psutil_words(pid: int) -> list[str]:
    """Its command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def test_a_launch_ends_what_a_killed_run_left(server: KplaneServer) -> None:
    server.launch(1)
    before = {one.pid for one in server.running()}
    server.launch(1)
    after = {one.pid for one in server.running()}
    assert before.isdisjoint(after)
    assert not any(Path(f"/proc/{pid}").exists() for pid in before)
