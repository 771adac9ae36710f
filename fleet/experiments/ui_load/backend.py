"""What the frontend talks to: the testbed's own proxy, or a `headlamp-server` of the user's with the same page."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from fleet.errors import DeadlineError, MeasurementError, UsageError
from fleet.experiment.load_client import credentials
from fleet.experiments import own_binary
from fleet.experiments.ui_load.proxy import PAGES, Settings, Upstream
from fleet.experiments.ui_load.spec import UiLoad
from fleet.host.files import private_directory, write_private
from fleet.host.kubeconfig import render_kubeconfig
from fleet.host.ports import Registry
from fleet.model.fleet_file import FleetFile
from fleet.observe.tethered import Tethered, tethered

MODULE = "fleet.experiments.ui_load.proxy"
OWNER = "experiment.ui-load"
"""Of the port, in the registry."""
OURS, THEIRS = "headlamp-proxy", "headlamp-server"
"""Components, in samples and tables."""
START_SECONDS, CHECK_SECONDS, LOOK_SECONDS = 30.0, 30.0, 0.05
FLAGS = ("kubeconfig", "port", "listen-addr", "base-url", "html-static-dir", "plugins-dir")
"""Of a headlamp-server, that it is started with."""
BUNDLE = "headlamp-page.js"


@dataclass(frozen=True)
class Backend:
    """One that runs."""

    component: str
    origin: str
    """`http://127.0.0.1:port`."""
    base: str
    """`/` and a secret: who does not know it gets nothing."""
    tethered: Tethered
    log: Path
    """What it says."""

    def page(self, path: str) -> str:
        """The URL of a page, such as `wec001/pods`."""
        return f"{self.origin}{self.base}/{PAGES}/{path}"


def check_binary(spec: UiLoad) -> None:
    """UsageError unless the file of the user's is there, is the one that was meant, and is a headlamp-server."""
    path = Path(spec.binary)
    if why := own_binary.wrong(spec.binary, spec.sha256):
        raise UsageError(why)
    try:
        done = subprocess.run(
            [str(path), "-h"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
            timeout=CHECK_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"binary: {path} cannot be run: {error}") from error
    said = f"{done.stdout}\n{done.stderr}"
    missing = [flag for flag in FLAGS if f"-{flag}" not in said]
    if missing:
        raise UsageError(f"binary: {path} is no headlamp-server: its help names no flag -{', -'.join(missing)}")


@asynccontextmanager
async def running(spec: UiLoad, fleet: FleetFile, folder: Path, static: Path, log: Path) -> AsyncIterator[Backend]:
    """The backend, inside the block; `folder` is private, `static` holds the page, requests are noted in `log`."""
    machine = next(one for one in fleet.machines if one.connection == "local")
    registry = Registry(Path(machine.state_dir).parent)
    block = registry.take(fleet.name, OWNER, 1, in_use=False)
    try:
        base = f"/{secrets.token_hex(16)}"
        prepare = _theirs if spec.binary else _ours
        argv = await asyncio.to_thread(prepare, spec, fleet, _Place(folder, static, log, block.start, base))
        said = folder / "backend.log"
        async with tethered(argv, said) as held:
            component = THEIRS if spec.binary else OURS
            backend = Backend(component, f"http://127.0.0.1:{block.start}", base, held, said)
            await _answers(backend)
            yield backend
    finally:
        registry.give_back(fleet.name, OWNER)


@dataclass(frozen=True)
class _Place:
    folder: Path
    static: Path
    log: Path
    port: int
    base: str


def _ours(spec: UiLoad, fleet: FleetFile, place: _Place) -> Sequence[str]:  # noqa: ARG001 - as the other
    clusters = {name: Upstream(server=own["server"], ca=own["ca"], cert=own["cert"], key=own["key"])
                for name, own in _credentials(fleet, place.folder).items()}  # fmt: skip
    settings = Settings(port=place.port, base=place.base, static=str(place.static), clusters=clusters,
                        log=str(place.log))  # fmt: skip
    file = place.folder / "proxy.json"
    write_private(file, settings.model_dump_json().encode())
    return [sys.executable, "-m", MODULE, str(file)]


def _theirs(spec: UiLoad, fleet: FleetFile, place: _Place) -> Sequence[str]:
    check_binary(spec)
    kubeconfig, plugins = place.folder / "kubeconfig", place.folder / "plugins"
    private_directory(plugins)
    write_private(kubeconfig, _together(_credentials(fleet, place.folder)))
    given = {
        "kubeconfig": str(kubeconfig), "port": str(place.port), "listen-addr": "127.0.0.1", "base-url": place.base,
        "html-static-dir": str(place.static), "plugins-dir": str(plugins),
    }  # fmt: skip
    return [spec.binary, *(f"-{name}={given[name]}" for name in FLAGS)]


def _credentials(fleet: FleetFile, folder: Path) -> Mapping[str, Mapping[str, str]]:
    found = {}
    for wec in fleet.wecs():
        own = folder / wec.name
        private_directory(own)
        found[wec.name] = credentials(wec, own)
    return found


def _together(clusters: Mapping[str, Mapping[str, str]]) -> bytes:
    """One kubeconfig with a context per WEC."""
    whole: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    for name, own in clusters.items():
        one = yaml.safe_load(
            render_kubeconfig(own["server"], Path(own["ca"]), Path(own["cert"]), Path(own["key"]), name)
        )
        for part in ("clusters", "users", "contexts"):
            whole[part] += one[part]
        whole.setdefault("current-context", name)
    return yaml.safe_dump(whole, sort_keys=False).encode()


async def _answers(backend: Backend) -> None:
    """It serves the page."""
    try:
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while not backend.tethered.ended.done():
                try:
                    async with session.get(backend.page("")) as answer:
                        if answer.ok:
                            return
                except aiohttp.ClientError:
                    pass  # it does not listen yet
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as error:
        raise DeadlineError(
            f"{backend.component} did not answer within {START_SECONDS:.0f} s: {_end(backend)}"
        ) from error
    raise MeasurementError(f"{backend.component} ended with code {backend.tethered.ended.result()}: {_end(backend)}")


def _end(backend: Backend) -> str:
    lines = backend.log.read_text(encoding="utf-8", errors="replace").splitlines() if backend.log.exists() else []
    return " / ".join(line.strip() for line in lines[-5:] if line.strip()) or "it said nothing"
