"""Hollow nodes in pods of their WEC's real node: at most `hollow_per_process` in each, as in processes of a machine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from fleet.errors import UsageError
from fleet.host.authority import Subject
from fleet.host.change import Change
from fleet.host.drivers.driver import driver_kind
from fleet.host.files import remove_tree
from fleet.host.https import Endpoint
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.materialise import materialise
from fleet.host.pki import FleetPki
from fleet.host.plan import Certificate, ControlPlane, Plan
from fleet.host.pods import all_pod_programs, pod_programs, write_pod_programs
from fleet.host.records import stored_planes
from fleet.simulators.group import unanswered, wait_ready
from fleet.simulators.hollow import objects
from fleet.simulators.hollow.api import ACCEPTED, Objects, said, until_gone
from fleet.simulators.hollow.image import REPOSITORY, reference_of, write_image
from fleet.simulators.hollow.program import (
    COMPONENT,
    ENVIRONMENT,
    LABEL_VALUE,
    Part,
    drop_programs,
    parts_of,
    will_add,
    without_kubelet,
)
from fleet.simulators.node_objects import NOT_FOUND, OK, expect

IN_PODS = "pods"
MOST_PODS = 100
"""A kubelet takes 110, some of which are its cluster's own."""


def check(machine: Machine, planes: Sequence[ControlPlane]) -> None:
    """UsageError naming the variable when these WECs cannot have them."""
    for plane in planes:
        if driver_kind(plane.driver).load_image is None:
            raise UsageError(
                f"hollow_placement: {IN_PODS} run on a real node, which the driver {plane.driver} has not: set"
                " control_plane_driver=kind, or hollow_placement=process"
            )
    count = len(parts_of(machine))
    if count > MOST_PODS:
        raise UsageError(
            f"hollow_per_process: {machine.options.hollow_per_process} nodes in a pod make {count} pods, and a real"
            f" node takes {MOST_PODS}: set it to {-(-machine.options.wec_nodes // MOST_PODS)} or more"
        )


def credentials_folder(layout: Layout, cluster: str) -> Path:
    """Pairs of certificate and key of the nodes of one WEC, as its Secrets have them."""
    return layout.cluster(cluster) / "hollow-pki"


def credentials(machine: Machine, cluster: str) -> Plan:
    """What is on the machine for one WEC: the rest is in it."""
    folder = credentials_folder(machine.layout, cluster)
    names = dict.fromkeys(name for part in parts_of(machine) for name in objects.identities(part))
    return Plan(
        directories=(folder,) if names else (),
        certificates=tuple(Certificate(folder, name, "ca", _subject(name)) for name in names),
    )


def _subject(name: str) -> Subject:
    if name == objects.PROXY:
        return Subject(f"system:{name}")
    return Subject(f"system:node:{name}", ("system:nodes",))


class PodNodes:
    """As in Nodes. `planes` are all WECs that the machine shall have."""

    def __init__(self, machine: Machine, planes: Sequence[ControlPlane]) -> None:
        self._machine = machine
        self._planes = planes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """As in Nodes: it holds nothing."""

    def ready(self, name: str) -> None:
        """As in Nodes: `converge` begins with them, once all files are written."""

    def converge(self) -> Change:
        """As in Nodes."""
        machine = self._machine
        ended, pki = drop_programs(machine, [plane.name for plane in self._planes]), machine.pki()
        with ThreadPoolExecutor(machine.options.parallelism) as pool:
            return Change.merge([ended, *pool.map(partial(_bring_in, machine, pki), self._planes)])


def _bring_in(machine: Machine, pki: FleetPki | None, plane: ControlPlane) -> Change:
    done = materialise(machine, credentials(machine, plane.name), pki)
    server = _server(machine, plane.name)
    if server is None:
        return Change.merge([done.change, Change({}, {f"nodes {plane.name}": f"{machine.options.wec_nodes} added"})])
    endpoint = machine.endpoint(plane.name, server)
    try:
        return Change.merge([done.change, _converge(machine, plane, endpoint, fresh=not done.change.changed)])
    except OSError as error:
        return unanswered(machine, plane.name, endpoint, error)


def _converge(machine: Machine, plane: ControlPlane, endpoint: Endpoint, *, fresh: bool) -> Change:
    """`fresh`: the credentials on disk are those that the pods shall have, also in check mode."""
    name, parts = plane.name, parts_of(machine)
    if not parts:
        return Change.merge([remove(machine, name, endpoint), _nodes_gone(machine, name, endpoint)])
    added = will_add(machine, name, endpoint)
    program = machine.programs.program(COMPONENT)
    reference = reference_of(program) if program.exists() else f"{REPOSITORY}:to-be-built"
    load, loaded = driver_kind(plane.driver).load_image, {}
    if load is not None and load(machine, name, reference, partial(write_image, program)):
        loaded[f"image {name}/{reference}"] = "loaded"
    if not machine.check:
        write_pod_programs(machine.layout, name, [objects.pod_program(name, part) for part in parts])
    shared = objects.Shared(reference, plane.extra.environment(COMPONENT, ENVIRONMENT), plane.extra.simulator)
    api = Objects(machine, name, endpoint)
    changes = [added, Change({}, loaded), api.namespace()]
    for part in parts:
        secret = objects.secret(part, _files(machine, name, part) if fresh or not machine.check else {})
        credentials_digest = secret["metadata"]["annotations"][objects.DIGEST]
        changes += [api.ensure(secret), api.ensure(objects.deployment(part, shared, credentials_digest))]
    changes += [api.only(parts), _nodes_gone(machine, name, endpoint)]
    if not machine.check:
        _tidy(machine, name, parts)
        api.until_available(parts, machine.options.ready_seconds)
        wanted = machine.options.wec_nodes
        wait_ready(machine, name, endpoint, LABEL_VALUE, wanted, alive=_nothing, last=partial(said, endpoint))
    return Change.merge(changes)


def _nothing() -> None:
    """A pod that ends is started again by its kubelet."""


def _nodes_gone(machine: Machine, name: str, endpoint: Endpoint) -> Change:
    return Change({f"node {name}/{node}": LABEL_VALUE for node in without_kubelet(machine, name, endpoint)}, {})


def _files(machine: Machine, cluster: str, part: Part) -> dict[str, bytes]:
    """Credentials of a Secret by name."""
    folder = credentials_folder(machine.layout, cluster)
    files = [folder / f"{name}.{end}" for name in objects.identities(part) for end in ("crt", "key")]
    return {file.name: file.read_bytes() for file in (machine.layout.pki / "ca.crt", *files)}


def _tidy(machine: Machine, cluster: str, parts: Sequence[Part]) -> None:
    """Credentials of nodes that there are no more."""
    kept = {name for part in parts for name in objects.identities(part)}
    for file in credentials_folder(machine.layout, cluster).iterdir():
        if file.stem not in kept:
            file.unlink()


def remove(machine: Machine, cluster: str, endpoint: Endpoint) -> Change:
    """Take the pods out of a WEC that stays, with all that belongs to them; waits until they have ended. Absent is
    fine."""
    path = f"{objects.NAMESPACES}/{objects.NAMESPACE}"
    found = endpoint.request("GET", path)
    expect(cluster, found, OK, NOT_FOUND)
    if found.status == OK and not machine.check:
        expect(cluster, endpoint.request("DELETE", path), OK, ACCEPTED, NOT_FOUND)
        until_gone(cluster, endpoint, path)
    if not machine.check:
        forget(machine.layout, cluster)
    return Change({f"namespace {cluster}/{objects.NAMESPACE}": "pods"} if found.status == OK else {}, {})


def leave(machine: Machine, cluster: str, endpoint: Endpoint) -> Change:
    """Of a WEC whose nodes are in processes of the machine from now on: the same, where pods are recorded."""
    return remove(machine, cluster, endpoint) if count(machine, cluster) else Change.none()


def remove_from(machine: Machine, names: Sequence[str]) -> Change:
    """The same of several WECs; those that are not there are left out."""
    changes = []
    for name in names:
        server = _server(machine, name)
        if server is not None:
            endpoint = machine.endpoint(name, server)
            try:
                changes.append(remove(machine, name, endpoint))
            except OSError as error:
                changes.append(unanswered(machine, name, endpoint, error))
    return Change.merge(changes)


def drop(machine: Machine, names: Sequence[str]) -> Change:
    """Forget the pods of these WECs; `remove_from` ends those of WECs that stay."""
    gone = {name: found for name, found in all_pod_programs(machine.layout).items() if name in names}
    if not machine.check:
        for name in gone:
            forget(machine.layout, name)
    return Change({f"program {one.program}": "pod" for found in gone.values() for one in found}, {})


def forget(layout: Layout, cluster: str) -> None:
    """What the machine has of them."""
    write_pod_programs(layout, cluster, ())
    remove_tree(credentials_folder(layout, cluster))


def count(machine: Machine, cluster: str) -> int:
    """How many pods of a WEC are recorded."""
    return len(pod_programs(machine.layout, cluster))


def _server(machine: Machine, cluster: str) -> str | None:
    return next((stored.server for stored in stored_planes(machine.layout) if stored.name == cluster), None)
