"""A fake fleet without a manager whose nodes play pods as kwok's stages do: bound, running, ended after the lifetime
and with the exit code that they request. Controllers of Jobs and ReplicaSets make their pods.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from fleet.kube import resources
from fleet.model.duration import parse_duration
from fleet.testing.api_server.store import Store
from fleet.workload.content import EXIT_CODE_ANNOTATION, LIFETIME_ANNOTATION
from tests.unit.experiment.plain_fleets import PlainFleet
from tests.unit.experiment.stand_in import POLL_SECONDS, set_status
from tests.unit.experiment.test_runner import give_service_accounts

READY = [{"type": "Ready", "status": "True"}]


class PlayingFleet(PlainFleet):
    """`async with` starts it."""

    wrong_code = False
    """Every pod ends with 0, whatever it requested."""

    def begin(self) -> None:
        """As a controller manager does it."""
        self._since: dict[str, float] = {}
        self.classes: set[int] = set()
        """Values of the PriorityClasses that pods came with."""
        for wec in self.wecs.values():
            give_service_accounts(wec)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self.act()

    def act(self) -> None:
        """All controllers, once."""
        for wec in self.wecs.values():
            for job in wec.store.objects(resources.JOBS):
                self._pods_of(wec.store, job, 1)
            for owner in wec.store.objects(resources.REPLICASETS):
                self._pods_of(wec.store, owner, owner["spec"]["replicas"])
            for pod in wec.store.objects(resources.PODS):
                self._play(wec.store, pod)
            for item in wec.store.objects(resources.DEPLOYMENTS):
                self._deployment(wec.store, item)

    def _pods_of(self, store: Store, owner: Mapping[str, Any], count: int) -> None:
        meta, template = owner["metadata"], owner["spec"]["template"]
        mine = [pod for pod in store.objects(resources.PODS, meta["namespace"])
                if pod["metadata"]["name"].startswith(f"{meta['name']}-")]  # fmt: skip
        for number in range(len(mine), count):
            reference = {"kind": owner["kind"], "name": meta["name"], "uid": meta["uid"], "controller": True}
            body = {**template, "metadata": {**template["metadata"], "name": f"{meta['name']}-{number}",
                                             "ownerReferences": [reference]}}  # fmt: skip
            store.create(resources.PODS, body, meta["namespace"])
        for pod in mine[count:]:
            store.delete(resources.PODS, pod["metadata"]["name"], meta["namespace"])

    def _play(self, store: Store, pod: Mapping[str, Any]) -> None:
        meta, now = pod["metadata"], time.monotonic()
        wanted = meta.get("annotations") or {}
        phase = (pod.get("status") or {}).get("phase")
        if phase is None:
            wanted_class = pod["spec"].get("priorityClassName")
            if wanted_class:
                self.classes.add(store.get(resources.PRIORITY_CLASSES, wanted_class)["value"])
            self._since[meta["uid"]] = now
            store.update(resources.PODS, meta["name"], meta["namespace"],
                         lambda old: {**old, "spec": {**old["spec"], "nodeName": "n1"}})  # fmt: skip
            set_status(
                store, resources.PODS, meta["name"], meta["namespace"], {"phase": "Running", "conditions": READY}
            )
            return
        age = now - self._since[meta["uid"]]
        if phase == "Running" and LIFETIME_ANNOTATION in wanted and age >= parse_duration(wanted[LIFETIME_ANNOTATION]):
            code = 0 if self.wrong_code else int(wanted.get(EXIT_CODE_ANNOTATION, "0"))
            state = {"name": "c", "state": {"terminated": {"exitCode": code}}}
            status = {"phase": "Failed" if code else "Succeeded", "containerStatuses": [state]}
            set_status(store, resources.PODS, meta["name"], meta["namespace"], status)

    def _deployment(self, store: Store, item: Mapping[str, Any]) -> None:
        replicas, meta = item["spec"]["replicas"], item["metadata"]
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        status = {"observedGeneration": meta["generation"], **dict.fromkeys(counts, replicas)}
        if item.get("status") != status:
            set_status(store, resources.DEPLOYMENTS, meta["name"], meta["namespace"], status)
