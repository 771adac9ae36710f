"""A platform comes, stays as it is, is repaired, and goes without a trace: real supervisor, fake API server."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fleet.platforms
from fleet.host.change import Change
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.install.upstream import UpstreamFolders
from fleet.kube.resources import CONFIGMAPS
from fleet.model.variables import Variables
from fleet.platforms import converge as platforms
from fleet.testing.api_server.server import FakeApiServer

UPSTREAM = UpstreamFolders.of([], check=True)
WITH = Variables.model_validate({"manager": "none", "platform": "toy", "wec_count": 1})
WITHOUT = Variables.model_validate({"manager": "none", "wec_count": 1})
WECS = ["wec001"]


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """`fleet.platforms` finds the package, as it finds its own."""
    folder = str(Path(__file__).parent / "planted")
    fleet.platforms.__path__.append(folder)
    yield
    fleet.platforms.__path__.remove(folder)
    for name in [name for name in sys.modules if name.startswith("fleet.platforms.toy")]:
        del sys.modules[name]


@pytest.fixture
def server() -> Iterator[FakeApiServer]:
    """In a loop of its own: what is tested runs its own."""
    loop, made = asyncio.new_event_loop(), FakeApiServer("wec001", tls=True)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(made.start(), loop).result(30)
    yield made
    asyncio.run_coroutine_threadsafe(made.stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


@pytest.fixture
def machine(server: FakeApiServer) -> Iterator[Machine]:
    """With one WEC; in a short folder, because of the supervisor's socket."""
    state = Path(tempfile.mkdtemp(prefix="fp-"))
    made = Machine("demo", state / "demo", UPSTREAM)
    folder = made.layout.cluster("wec001")
    folder.mkdir(parents=True)
    made.root.chmod(0o700)
    plane = {"name": "wec001", "role": "wec", "driver": "dense", "server": server.url}
    (folder / "plane.json").write_text(json.dumps(plane))
    server.write_kubeconfig(made.layout.kubeconfig("wec001"))
    yield made
    made.supervisor.shutdown()
    shutil.rmtree(state, ignore_errors=True)


def converge(machine: Machine, variables: Variables, **changed: Any) -> Change:
    """As `site.yml` does it: what is not wanted leaves, then what is wanted comes."""
    chosen = replace(machine, **changed)
    left = platforms.leave(chosen, UPSTREAM, variables, WECS)
    return Change.merge([left, platforms.converge(chosen, UPSTREAM, variables, WECS)])


def test_it_comes_stays_and_goes(machine: Machine, server: FakeApiServer) -> None:
    assert converge(machine, WITH, check=True).changed
    assert platforms.installed(machine.layout) == []
    assert {"program toy.wec001", "wec001 configmaps default/toy"} <= set(converge(machine, WITH).after)
    assert server.store.get(CONFIGMAPS, "toy", "default")["data"] == {"a": "b"}
    assert not converge(machine, WITH).changed
    assert not converge(machine, WITH, check=True).changed
    (block,) = machine.registry.blocks("demo")
    assert block.owner == "platforms.toy.wec001.toy"

    assert "platform toy in wec001" in converge(machine, WITHOUT, check=True).before
    gone = converge(machine, WITHOUT)
    assert {"platform toy in wec001", "program toy.wec001", "wec001 toy"} <= set(gone.before)
    assert server.store.objects(CONFIGMAPS) == []
    assert machine.supervisor.states() == []
    assert machine.registry.blocks("demo") == []
    assert not (Layout(machine.root).root / "platforms" / "toy" / "wec001").exists()
    assert not converge(machine, WITHOUT).changed


def test_it_goes_by_the_programs_that_it_came_with(machine: Machine, tmp_path: Path) -> None:
    """A fleet that is to have it no longer is given none of its programs."""
    program = tmp_path / "toy"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    platforms.converge(machine, UpstreamFolders.of([tmp_path], check=False), WITH, WECS)
    gone = platforms.leave(machine, UpstreamFolders.of([], check=False), WITHOUT, WECS)
    assert gone.before["wec001 toy"] == str(program)


def test_what_was_changed_or_killed_is_repaired(machine: Machine, server: FakeApiServer) -> None:
    converge(machine, WITH)
    server.store.delete(CONFIGMAPS, "toy", "default")
    (state,) = machine.supervisor.states()
    machine.supervisor.stop("toy.wec001")
    again = converge(machine, WITH)
    assert {"program toy.wec001", "wec001 configmaps default/toy"} <= set(again.after)
    (after,) = machine.supervisor.states()
    assert after.pid not in (0, state.pid)
    with pytest.raises(ProcessLookupError):
        os.kill(state.pid, signal.SIGCONT)


def test_a_wec_that_went_takes_its_platform_along(machine: Machine) -> None:
    converge(machine, WITH)
    gone = platforms.leave(machine, UPSTREAM, WITH, [])
    assert {"platform toy in wec001", "program toy.wec001"} <= set(gone.before)
    assert platforms.installed(machine.layout) == []
