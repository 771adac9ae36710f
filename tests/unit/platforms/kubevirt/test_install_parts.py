"""The install-strategy Job as a process, and certificates as files, on a fake API server."""

from __future__ import annotations

import base64
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import HostError
from fleet.host.machine import Machine
from fleet.install.objects import Ledger
from fleet.install.upstream import UpstreamFolders
from fleet.kube.resources import CONFIGMAPS, JOBS, SECRETS
from fleet.platforms.kubevirt import names, programs, ready, secrets, strategy
from fleet.platforms.kubevirt.places import Places
from fleet.platforms.platform import Seat
from fleet.testing.api_server.server import FakeApiServer


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer("wec001") as made:
        made.store.serve(names.KUBEVIRTS)
        yield made


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """With a virt-operator that writes what it was given into a file."""
    program = tmp_path / "bin" / names.OPERATOR
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$FAILS" = yes ] && { echo "no rights" >&2; exit 3; }\necho "$1 $WANTED" >> ran\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    upstream = UpstreamFolders.of([program.parent], check=False)
    machine = Machine("demo", tmp_path / "demo", upstream)
    seat = Seat(machine, "wec001", "kubevirt", upstream, server="https://127.0.0.1:1")
    seat.folder.mkdir(parents=True, mode=0o700)
    return Places(seat, 16005, 16006, 16007, 16008)


def job(name: str, **env: str) -> dict[str, Any]:
    containers = [{"env": [{"name": key, "value": value} for key, value in env.items()]}]
    metadata = {"name": name, "namespace": names.NAMESPACE, "labels": {names.STRATEGY_LABEL: ""}}
    return {"metadata": metadata, "spec": {"template": {"spec": {"containers": containers}}}}


async def test_each_job_is_run_once_with_its_environment(server: FakeApiServer, places: Places) -> None:
    done: set[str] = set()
    async with server.client() as client:
        await strategy.dump(places, client, done)
        server.store.create(JOBS, job("one", WANTED="a b"))
        await strategy.dump(places, client, done)
        await strategy.dump(places, client, done)
        assert (places.seat.folder / "ran").read_text() == "--dump-install-strategy a b\n"
        server.store.create(JOBS, job("two", FAILS="yes"))
        with pytest.raises(HostError, match="wec001: virt-operator --dump-install-strategy failed:\nno rights"):
            await strategy.dump(places, client, done)


async def test_certificates_become_files_once(server: FakeApiServer, places: Places) -> None:
    ca = {"metadata": {"name": secrets.AUTHORITY, "namespace": names.NAMESPACE}, "data": {"ca-bundle": "CA"}}
    server.store.create(CONFIGMAPS, ca)
    for name in programs.SECRETS:
        data = {key: base64.b64encode(f"{name} {key}".encode()).decode() for key in ("tls.crt", "tls.key")}
        server.store.create(SECRETS, {"metadata": {"name": name, "namespace": names.NAMESPACE}, "data": data})
    async with server.client() as client:
        ledger = Ledger()
        await secrets.copy(places, client, ledger)
        assert len(ledger.change.after) == 7
        cert, key = places.pair(programs.API_CERTS)
        assert (cert.read_text(), places.ca.read_text()) == (f"{programs.API_CERTS} tls.crt", "CA")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        again = Ledger()
        await secrets.copy(places, client, again)
        assert not again.change.changed
        server.store.update(SECRETS, programs.API_CERTS, names.NAMESPACE, lambda old: {**old, "data": {}})
        with pytest.raises(HostError, match=r"no certificate for kubevirt-virt-api-certs\.crt"):
            await secrets.copy(places, client, again)


async def test_the_phase_is_the_operators(server: FakeApiServer) -> None:
    async with server.client() as client:
        assert await ready.phase(client) == ""
        assert not await ready.served(client)
        metadata = {"name": names.CR, "namespace": names.NAMESPACE}
        server.store.create(names.KUBEVIRTS, {"metadata": metadata, "status": {"phase": "Deployed"}})
        assert await ready.phase(client) == ready.DEPLOYED
