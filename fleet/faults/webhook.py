"""The fault `webhook`: an admission webhook of a control plane that takes requests and never answers."""

from __future__ import annotations

import asyncio
import base64
import socket
from pathlib import Path
from threading import Thread
from typing import Any

from pydantic import Field

from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.targets import of_planes, plane_of
from fleet.host.layout import Layout
from fleet.install import dial
from fleet.kube.errors import Conflict, NotFound
from fleet.kube.resources import Resource
from fleet.model.base import Model
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import RUN_LABEL

WEBHOOKS = Resource(
    "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False
)


class WebhookSettings(Model):
    """Of `webhook`."""

    timeout_seconds: int = Field(default=10, ge=1, le=30)
    """How long the API server waits for it, as Kubernetes' own field of this name; then the write is refused."""
    everything: bool = False
    """Every write of the control plane, leases and statuses of others too; false: only of the run's own objects."""


class Webhook(Plain):
    """See `Fault`. What listens is a thread of the helper: it accepts connections and says nothing."""

    name = "webhook"
    settings = WebhookSettings

    def __init__(self) -> None:
        self._listeners: dict[str, socket.socket] = {}

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one control plane
        """See `Fault`. The control plane goes on answering: nothing of it is taken away."""
        (aim,) = of_planes(wanted, [plane_of(wanted, fleet)], fleet)
        return [aim.model_copy(update={"clusters": [], "programs": []})]

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listeners[aim.key] = listener
        Thread(target=_accept, args=(listener,), daemon=True).start()
        body = configuration(aim, listener.getsockname()[1], (root / "pki" / "ca.crt").read_bytes())
        asyncio.run(self._create(aim, root, body))

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        asyncio.run(self._delete(aim, root))
        listener = self._listeners.pop(aim.key, None)
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    @staticmethod
    async def _create(aim: Aim, root: Path, body: dict[str, Any]) -> None:
        async with dial.client(Layout(root), aim.planes[0]) as client:
            try:
                await client.create(WEBHOOKS, body)
            except Conflict:
                await client.replace(WEBHOOKS, body)

    @staticmethod
    async def _delete(aim: Aim, root: Path) -> None:
        async with dial.client(Layout(root), aim.planes[0]) as client:
            try:
                await client.delete(WEBHOOKS, _name(aim))
            except NotFound:
                return


def configuration(aim: Aim, port: int, ca: bytes) -> dict[str, Any]:
    """What the API server is given."""
    chosen = WebhookSettings.model_validate(aim.settings)
    selector = {} if chosen.everything else {"matchExpressions": [{"key": RUN_LABEL, "operator": "Exists"}]}
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "operations": ["CREATE", "UPDATE"]}
    hook = {
        "name": "hangs.fleet-testbed.example",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": base64.b64encode(ca).decode()},
        "rules": [rule],
        "objectSelector": selector,
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": chosen.timeout_seconds,
    }
    head = {"apiVersion": WEBHOOKS.api_version, "kind": WEBHOOKS.kind, "metadata": {"name": _name(aim)}}
    return {**head, "webhooks": [hook]}


def _name(aim: Aim) -> str:
    return f"fleet-fault-{aim.key}"


def _accept(listener: socket.socket) -> None:
    """Take connections and keep them, without a word, until the listener is closed."""
    held = []
    while True:
        try:
            held.append(listener.accept()[0])
        except OSError:
            break
    for connection in held:
        connection.close()
