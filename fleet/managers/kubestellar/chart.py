"""The hub by KubeStellar's own chart: both releases in the ITS's kind cluster, until every space works."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from fleet.errors import DeadlineError, HostError, UsageError
from fleet.host.change import Change
from fleet.host.drivers.kind.engine import SYSTEM_PATH, system_engine
from fleet.host.files import private_directory, same_private, write_private
from fleet.host.plan import url as https_url
from fleet.host.records import remove_plane, stored_planes
from fleet.install import dial
from fleet.install.crds import condition, wait_established
from fleet.install.objects import Ledger, ensure_all
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import (
    CONTROL_PLANES,
    DEPLOYMENTS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    SECRETS,
    WORK_STATUSES,
    Resource,
)
from fleet.managers.kubestellar import ready
from fleet.managers.kubestellar.chart_plan import HELM_SECONDS, ChartSpec, Release, relocated
from fleet.managers.kubestellar.spaces import KEY, system_namespace
from fleet.managers.ocm import names
from fleet.managers.ocm.identities import bootstrap_objects, registrar_objects, status_agent_objects

PROBE_SECONDS = 60.0
SPACE_SECONDS = 900.0
"""KubeFlex pulls a database and an API server before the first WDS is ready."""
POLL_SECONDS = 2.0
PROGRAMS = ("kubestellar-controller-manager", "transport-controller")
"""Deployments that the chart makes in a WDS's namespace."""


def check_chart(spec: ChartSpec, *, path: str = "") -> None:
    """UsageError or HostError, before anything is changed, when this hub cannot be built from here.

    `path` is where helm is looked for; empty: this machine's PATH.
    """
    spec.check()
    machine = spec.machine
    if not shutil.which("helm", path=path or _path()):
        raise HostError("hub_driver: chart needs helm, and this machine has none on its PATH. Nothing was changed.")
    if not system_engine(machine.run):
        raise HostError("hub_driver: chart: no Docker answers here: start it. Nothing was changed.")
    for argv in spec.probes():
        try:
            machine.run(argv, environment(spec), PROBE_SECONDS)
        except (HostError, DeadlineError) as error:
            raise HostError(
                f"hub_driver: chart: the chart {argv[3]} cannot be had from here: {error}. Where no registry is"
                " reached, name a chart file (hub_chart, hub_chart_ingress), or leave hub_driver at process."
                " Nothing was changed."
            ) from error


def converge_chart(spec: ChartSpec) -> Change:
    """Install or upgrade both releases, wait until the ITS and every WDS work; with `check` only say what would change.

    The ITS's kind cluster must be there (UsageError). DeadlineError names the space that did not become ready.
    """
    spec.check()
    machine, ledger = spec.machine, Ledger(check=spec.machine.check)
    block = machine.registry.find(machine.fleet, spec.its)
    if block is None or block.count < 2 or not spec.kubeconfig.exists():  # noqa: PLR2004 - API server, ingress
        if machine.check:
            return Change({}, {f"release {release.name}": "deployed" for release in spec.releases(0)})
        raise UsageError(f"the hub's kind cluster {spec.its} is not on this machine: build the control planes first")
    port = block.port(1)
    releases = [release for release in spec.releases(port) if not _installed(spec, release)]
    for release in releases:
        ledger.record(f"release {release.name}", None, "deployed")
    gone = [s.name for s in stored_planes(machine.layout) if s.driver == "chart" and s.name not in spec.wdses]
    for wds in gone:
        ledger.record(f"control plane {wds}", "chart", None)
    if not machine.check:
        for release in releases:
            _install(spec, release)
        for wds in gone:
            remove_plane(machine, wds)
        asyncio.run(_spaces(spec, port, ledger))
    return ledger.change


def environment(spec: ChartSpec) -> dict[str, str]:
    """Of helm: the machine's PATH, proxies as they are set, and folders of the fleet's own."""
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return proxies | {
        "PATH": _path(),
        "HOME": str(spec.folder),
        "HELM_CACHE_HOME": str(spec.folder / "helm" / "cache"),
        "HELM_CONFIG_HOME": str(spec.folder / "helm" / "config"),
        "HELM_DATA_HOME": str(spec.folder / "helm" / "data"),
    }


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"


def _made(spec: ChartSpec, release: Release) -> Path:
    """There once the release was installed to its end: its digest."""
    return spec.folder / f"{release.name}.made"


def _installed(spec: ChartSpec, release: Release) -> bool:
    """Whether this very release is deployed."""
    if not same_private(_made(spec, release), release.digest().encode()):
        return False
    argv = ["helm", "status", release.name, f"--namespace={release.namespace}", f"--kubeconfig={spec.kubeconfig}",
            "--output=json"]  # fmt: skip
    try:
        status = json.loads(spec.machine.run(argv, environment(spec), PROBE_SECONDS))
        return bool(status["info"]["status"] == "deployed")
    except (HostError, DeadlineError, ValueError, KeyError, TypeError):
        return False  # installing it again says what is wrong


def _install(spec: ChartSpec, release: Release) -> None:
    for folder in (spec.folder.parent, spec.folder):
        private_directory(folder)
    _made(spec, release).unlink(missing_ok=True)
    write_private(release.values.path, release.values.text.encode())
    spec.machine.run(release.argv(spec.kubeconfig), environment(spec), HELM_SECONDS + PROBE_SECONDS)
    write_private(_made(spec, release), release.digest().encode())


async def _spaces(spec: ChartSpec, port: int, ledger: Ledger) -> None:
    """Wait for what the chart's own jobs make, write down every WDS, and give our agents their rights."""
    layout = spec.machine.layout
    async with dial.client(layout, spec.its) as its:
        for space in (spec.its, *spec.wdses):
            await _wait(its, CONTROL_PLANES, space, None, "Ready")
        for wds in spec.wdses:
            for program in PROGRAMS:
                await _wait(its, DEPLOYMENTS, program, system_namespace(wds), "Available")
        served = (MANAGED_CLUSTERS, MANIFEST_WORKS, WORK_STATUSES)
        await wait_established(its, [f"{r.plural}.{r.group}" for r in served], seconds=SPACE_SECONDS)
        await ensure_all(its, [*bootstrap_objects(), *status_agent_objects(), *registrar_objects()], ledger)
        for wds in spec.wdses:
            _write_down(spec, wds, port, await _kubeconfig(its, wds), ledger)
    for wds in spec.wdses:
        async with dial.client(layout, wds) as client:
            await wait_established(client, [f"{resource.plural}.{resource.group}" for resource in ready.WDS_CRDS])


async def _wait(its: KubeClient, resource: Resource, name: str, namespace: str | None, kind: str) -> None:
    async def look() -> bool:
        try:
            return condition(await its.get(resource, name, namespace), kind)
        except NotFound:
            return False

    where = f" in {namespace}" if namespace else ""
    late = f"{its.cluster}: {resource.kind} {name}{where} did not become {kind} within {SPACE_SECONDS:.0f} s"
    await until(look, SPACE_SECONDS, lambda: late, poll=POLL_SECONDS)


async def _kubeconfig(its: KubeClient, wds: str) -> bytes:
    """As KubeFlex stored it for programs outside of the cluster."""
    secret = await its.get(SECRETS, names.CP_SECRET, system_namespace(wds))
    data: Mapping[str, str] = secret.get("data") or {}
    try:
        return base64.b64decode(data[KEY], validate=True)
    except (KeyError, binascii.Error) as error:
        raise HostError(f"{wds}: Secret {names.CP_SECRET} in {system_namespace(wds)} has no {KEY}") from error


def _write_down(spec: ChartSpec, wds: str, port: int, kubeconfig: bytes, ledger: Ledger) -> None:
    """The record first: a WDS that is half written down is found by the next run."""
    layout, record = spec.machine.layout, spec.record(wds, port)
    for folder in (layout.clusters, layout.cluster(wds)):
        private_directory(folder)
    context = spec.machine.context(wds)
    if write_private(record.path, record.text.encode()):
        ledger.record(f"control plane {wds}", None, "chart")
    server = https_url(spec.bind_address, port)
    if write_private(layout.kubeconfig(wds), relocated(kubeconfig, server, context)):
        ledger.record(f"kubeconfig {wds}", None, server)
