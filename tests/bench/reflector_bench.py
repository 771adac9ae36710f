"""Events per second and core: our Reflector against the official client's `watch.Watch`, on the same stream.

A server process replays prepared bytes (one list, then one watch of 10 kB pods) as fast as they are taken. Each side
takes the same stream in a process of its own; what counts is that process's CPU time (user and system) from the last
warm-up event to the last event, so without imports and first calls. The sides take turns, so that what else the machine
does hits both.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from tests.bench.ratios import Ratio, paired

SIDES = ("reflector", "kubernetes.watch.Watch")
CHUNK = 64 << 10
WARM_UP = 500
"""Events that are taken but not counted."""
EVENTS = 5_000
"""Of the stream, warm-up included."""
POD_BYTES = 10_000
"""Bytes of JSON per pod."""


def pod(number: int, size: int) -> dict[str, Any]:
    """A pod as an API server says it, `size` bytes of JSON: 5.7 kB of fields, the rest one annotation."""
    container = {
        "name": "main",
        "image": "registry.example/app:v1",
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
        "env": [{"name": f"VARIABLE_{i}", "value": f"value {i}"} for i in range(20)],
        "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets", "readOnly": True}],
        "terminationMessagePath": "/dev/termination-log",
        "imagePullPolicy": "IfNotPresent",
    }
    stamp = "2026-01-01T00:00:00Z"
    conditions = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    fields = {f"f:field{i}": {".": {}, "f:inner": {}} for i in range(60)}
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"pod-{number:06d}",
            "namespace": "default",
            "uid": f"{number:08x}-0000-4000-8000-{number:012x}",
            "resourceVersion": str(1000 + number),
            "creationTimestamp": stamp,
            "labels": {f"label-{i}": "value" for i in range(10)},
            "annotations": {},
            "managedFields": [
                {
                    "manager": "kubelet",
                    "operation": "Update",
                    "apiVersion": "v1",
                    "time": stamp,
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:status": fields},
                }
            ],
        },
        "spec": {
            "containers": [container, {**container, "name": "side"}],
            "nodeName": "node-0",
            "restartPolicy": "Always",
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": c, "status": "True", "lastTransitionTime": stamp} for c in conditions],
            "containerStatuses": [
                {
                    "name": name,
                    "ready": True,
                    "restartCount": 0,
                    "image": container["image"],
                    "imageID": "sha256:0",
                    "state": {"running": {"startedAt": stamp}},
                }
                for name in ("main", "side")
            ],
        },
    }
    missing = size - len(json.dumps(obj, separators=(",", ":")))
    obj["metadata"]["annotations"]["padding"] = "x" * max(0, missing - len('"padding":""'))
    return obj


def stream_bytes(events: int, size: int) -> bytes:
    """The whole watch, chunked as HTTP/1.1 has it: one chunk per event, as an API server flushes them."""
    parts = []
    for number in range(events):
        event = {"type": "ADDED", "object": pod(number, size)}
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        parts.append(f"{len(line):x}\r\n".encode() + line + b"\r\n")
    return b"".join(parts)


def serve(pipe: Connection, events: int, size: int) -> None:
    """The server process: answers lists and watches with prepared bytes until the pipe closes."""
    body = stream_bytes(events, size)
    listing = json.dumps(
        {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}
    ).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        pipe.send(server.getsockname()[1])
        server.settimeout(0.2)
        while not pipe.poll():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(120)
                answer_all(connection, head, listing, body)


def answer_all(connection: socket.socket, head: bytes, listing: bytes, body: bytes) -> None:
    """Every request of one connection, until the client closes it."""
    pending = b""
    try:
        while True:
            while b"\r\n\r\n" not in pending:
                got = connection.recv(CHUNK)
                if not got:
                    return
                pending += got
            request, _, pending = pending.partition(b"\r\n\r\n")
            if b"watch=" not in request.split(b"\r\n")[0]:
                connection.sendall(head + f"Content-Length: {len(listing)}\r\n\r\n".encode() + listing)
                continue
            connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            connection.sendall(body)  # the stream stays open, as a watch does
    except (ConnectionError, TimeoutError):
        return


class Meter:
    """CPU and wall time of this process from the last warm-up event to the last event."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0

    def start(self) -> None:
        """At the last warm-up event."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.cpu, self.wall = usage.ru_utime + usage.ru_stime, time.perf_counter()

    def result(self, events: int) -> dict[str, float]:
        """Events per CPU second and per wall second."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu = usage.ru_utime + usage.ru_stime - self.cpu
        return {
            "events": events,
            "cpu_seconds": cpu,
            "events_per_core_second": events / cpu,
            "events_per_second": events / (time.perf_counter() - self.wall),
        }


def consume_reflector(port: int, events: int) -> dict[str, float]:
    """Our side: every event parsed, stamped and given to a callback."""
    from fleet.kube.client import KubeClient  # noqa: PLC0415 - each side imports only its own library
    from fleet.kube.endpoint import Endpoint  # noqa: PLC0415
    from fleet.kube.reflector import Reflector, WatchEvent  # noqa: PLC0415
    from fleet.kube.resources import PODS  # noqa: PLC0415

    async def run() -> dict[str, float]:
        meter, done = Meter(), asyncio.Event()
        seen = 0
        last = ""

        def told(event: WatchEvent) -> None:
            nonlocal seen, last
            seen += 1
            last = event.object["metadata"]["name"]
            if seen == WARM_UP:
                meter.start()
            elif seen == events:
                done.set()

        async with KubeClient(Endpoint("bench", f"http://127.0.0.1:{port}")) as client:
            reflector = Reflector(client, PODS, told)
            task = asyncio.create_task(reflector.run())
            await done.wait()
            result = meter.result(events - WARM_UP)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        check(seen, events, last)
        return result

    return asyncio.run(run())


def consume_official(port: int, events: int) -> dict[str, float]:
    """The official client's side, as its documentation shows it."""
    from kubernetes import client, watch  # noqa: PLC0415

    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{port}"
    meter = Meter()
    seen = 0
    last = ""
    with client.ApiClient(configuration) as api_client:
        core = client.CoreV1Api(api_client)
        watcher = watch.Watch()
        for event in watcher.stream(core.list_pod_for_all_namespaces, resource_version="1"):
            seen += 1
            last = event["object"].metadata.name
            if seen == WARM_UP:
                meter.start()
            elif seen == events:
                break
        result = meter.result(events - WARM_UP)
        watcher.stop()
    check(seen, events, last)
    return result


def check(seen: int, events: int, last: str) -> None:
    """Both sides must have taken the whole stream."""
    if seen != events or last != f"pod-{events - 1:06d}":
        raise SystemExit(f"took {seen} of {events} events, the last was {last}")


CONSUMERS: dict[str, Callable[[int, int], dict[str, float]]] = dict(
    zip(SIDES, (consume_reflector, consume_official), strict=True)
)


def measured(side: str, pipe: Connection, port: int, events: int) -> None:
    """One process, one side, one pass over the stream."""
    pipe.send(CONSUMERS[side](port, events))


def one_pass(side: str, events: int, size: int) -> dict[str, float]:
    """Starts a server and a consumer, returns what the consumer measured."""
    context = multiprocessing.get_context("spawn")
    to_server, server_end = context.Pipe()
    server = context.Process(target=serve, args=(server_end, events, size))
    server.start()
    port = to_server.recv()
    ours, theirs = context.Pipe(duplex=False)
    consumer = context.Process(target=measured, args=(side, theirs, port, events))
    consumer.start()
    theirs.close()
    try:
        result: dict[str, float] = ours.recv()
    finally:
        consumer.join(30)
        to_server.send("stop")
        server.join(30)
    return result


def ratios(repeats: int) -> list[Ratio]:
    """Both sides over the same stream, in turn; the side that goes first changes with each repeat."""
    runs: dict[str, list[float]] = {side: [] for side in SIDES}
    for repeat in range(repeats):
        for side in SIDES if repeat % 2 == 0 else SIDES[::-1]:
            runs[side].append(one_pass(side, EVENTS, POD_BYTES)["events_per_core_second"])
    ours, official = (runs[side] for side in SIDES)
    return [paired("reflector, over watch.Watch of the client", "event/CPUs", ours, official, ">= 10x")]
